#include <cmath>

#include "deploy/model/infer.h"
#include "deploy/model/resize.h"

namespace nibble::model {
namespace {

enum class Policy { kStretch, kNotLarger, kNotSmaller };

Result<Policy> policy_of(const Attributes& attributes) {
  const std::string_view name = attributes.get_string(Attr::keep_aspect_ratio_policy, "stretch");
  if (name == "stretch") return Policy::kStretch;
  if (name == "not_larger") return Policy::kNotLarger;
  if (name == "not_smaller") return Policy::kNotSmaller;
  return invalid_argument(
      "expects keep_aspect_ratio_policy stretch, not_larger or not_smaller, found '" +
      std::string(name) + "'");
}

/// ONNX: the largest size that is not larger (the smallest that is not smaller) than asked on every
/// axis, at one scale for all; halves are rounded up.
void keep_aspect_ratio(Policy policy, std::span<const int> axes, std::span<const int64_t> sizes,
                       const Shape& input, std::vector<ResizeAxis>& result) {
  double scale = 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    const double s = static_cast<double>(sizes[i]) / static_cast<double>(input[axes[i]]);
    if (i == 0 || (policy == Policy::kNotLarger ? s < scale : s > scale)) scale = s;
  }
  for (int axis : axes) {
    ResizeAxis& a = result[static_cast<size_t>(axis)];
    a.scale = static_cast<float>(scale);
    a.output = static_cast<int64_t>(std::floor(scale * static_cast<double>(a.input) + 0.5));
  }
}

}  // namespace

Result<std::vector<ResizeAxis>> resolve_resize(const Attributes& attributes, const Shape& input,
                                               std::span<const float> scales,
                                               std::span<const int64_t> sizes) {
  const int rank = input.rank();
  if (scales.empty() == sizes.empty()) return invalid_argument("expects either scales or sizes");
  std::vector<int> axes;
  if (const auto listed = attributes.get_ints(Attr::axes); !listed.empty()) {
    for (int64_t axis : listed) {
      const Result<int> checked = infer::checked_axis(axis, rank);
      if (!checked.ok()) return checked.status();
      axes.push_back(checked.value());
    }
  } else {
    for (int axis = 0; axis < rank; ++axis) axes.push_back(axis);
  }
  const size_t given = scales.empty() ? sizes.size() : scales.size();
  if (given != axes.size())
    return invalid_argument("expects " + std::to_string(axes.size()) + " scales or sizes, found " +
                            std::to_string(given));
  const Result<Policy> policy = policy_of(attributes);
  if (!policy.ok()) return policy.status();

  std::vector<ResizeAxis> result(static_cast<size_t>(rank));
  for (int axis = 0; axis < rank; ++axis)
    result[static_cast<size_t>(axis)] = {input[axis], input[axis], 1.0f};
  for (size_t i = 0; i < axes.size(); ++i) {
    ResizeAxis& a = result[static_cast<size_t>(axes[i])];
    if (!scales.empty()) {
      a.scale = scales[i];
      if (!(a.scale > 0) || a.scale > 1e6f)
        return invalid_argument("expects positive scales, found " + std::to_string(a.scale));
      if (a.input == kUnknownDim) {
        if (a.scale != 1.0f) a.output = kUnknownDim;
      } else {
        // binary32 product, as ONNX Runtime: 3 * 1.3333334 is 4.
        a.output = static_cast<int64_t>(std::floor(static_cast<float>(a.input) * a.scale));
      }
    } else {
      if (sizes[i] < 0)
        return invalid_argument("expects sizes that are not negative, found " +
                                std::to_string(sizes[i]));
      a.output = sizes[i];
      if (a.input != kUnknownDim && a.input != 0)
        a.scale = static_cast<float>(a.output) / static_cast<float>(a.input);
    }
    if (a.input == 0 && a.output != 0)
      return invalid_argument("cannot stretch an empty axis of " + to_string(input));
  }
  if (scales.empty() && policy.value() != Policy::kStretch) {
    for (int axis : axes) {
      if (input[axis] == 0) return invalid_argument("cannot keep the ratio of an empty tensor");
      if (input[axis] == kUnknownDim) {
        for (int other : axes) result[static_cast<size_t>(other)].output = kUnknownDim;
        return result;
      }
    }
    keep_aspect_ratio(policy.value(), axes, sizes, input, result);
  }
  return result;
}

namespace infer {

Status resize(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  // An input that is there but empty counts as absent: older exporters wrote those.
  const auto given = [&](size_t i) {
    return node.has(i) && !(node.shape(i).rank() == 1 && node.shape(i)[0] == 0);
  };
  std::vector<float> scales;
  Dims sizes;
  const size_t source = given(3) ? 3 : 2;
  if (!given(source)) return invalid_argument("expects scales (input 2) or sizes (input 3)");
  if (!node.has_value(source))
    return store(node, 0, node.dtype(0),
                 Dims(static_cast<size_t>(node.shape(0).rank()), kUnknownDim));
  if (source == 2) {
    NIBBLE_RETURN_IF_ERROR(expect_dtype(node, 2, DType::kF32));
    NIBBLE_RETURN_IF_ERROR(expect_rank(node, 2, 1, 1));
    const auto* values = static_cast<const float*>(node.inputs[2].data);
    scales.assign(values, values + node.shape(2)[0]);
  } else {
    Result<Dims> values = integers(node, 3);
    if (!values.ok()) return values.status();
    sizes = std::move(values).value();
  }
  const Result<std::vector<ResizeAxis>> axes =
      resolve_resize(node.attributes, node.shape(0), scales, sizes);
  if (!axes.ok()) return axes.status();
  Dims dims;
  for (const ResizeAxis& axis : axes.value()) dims.push_back(axis.output);
  return store(node, 0, node.dtype(0), dims);
}

}  // namespace infer
}  // namespace nibble::model
