// Resize, one axis after the other (it is separable). Linear and cubic on binary32: each output is
// the sum of its taps in ascending order, product and sum rounded; nearest copies elements of any
// type.

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "deploy/run/step_factories.h"
#include "deploy/run/steps/fused_clip.h"
#include "deploy/run/steps/integers.h"
#include "deploy/run/steps/resize_taps.h"

namespace nibble::run {
namespace {

using model::Attr;

bool is_nearest(const model::NodeInfo& node) {
  return node.attributes.get_string(Attr::mode, "nearest") == "nearest";
}

/// One axis: [outer][input][inner] to [outer][output][inner].
struct Pass {
  int64_t outer, input, output, inner;
  ResizeTaps taps;
};

class ResizeStep : public Step {
 public:
  explicit ResizeStep(bool nearest) : nearest_(nearest) {}

  Status prepare(PrepareContext& context) override {
    const model::Attributes& attributes = context.node.attributes;
    const Shape& x = context.inputs[0].shape;
    // An input that is there but empty counts as absent: older exporters wrote those.
    const auto given = [&](size_t i) {
      return i < context.inputs.size() && context.inputs[i].present() &&
             context.inputs[i].shape.size() > 0;
    };
    const auto sizes = given(3) ? known_integers(context.inputs, 3)
                                : Result<std::vector<int64_t>>(std::vector<int64_t>());
    if (!sizes.ok()) return sizes.status();
    std::span<const float> scales;
    if (!given(3)) {
      if (context.inputs[2].data == nullptr) return unsupported("needs the value of input 2");
      scales = {context.inputs[2].as<float>(), static_cast<size_t>(context.inputs[2].shape.size())};
    }
    const auto axes = model::resolve_resize(attributes, x, scales, sizes.value());
    if (!axes.ok()) return axes.status();
    std::vector<double> roi;
    if (attributes.get_string(Attr::coordinate_transformation_mode, "") == "tf_crop_and_resize") {
      auto read = read_roi(context, given(1));
      if (!read.ok()) return read.status();
      roi = std::move(read).value();
    }
    extrapolation_ = attributes.get_float(Attr::extrapolation_value, 0.0f);

    passes_.clear();
    Shape shape = x;
    const auto rank = static_cast<size_t>(x.rank());
    for (size_t i = 0; i < rank; ++i) {
      const model::ResizeAxis& axis = axes.value()[i];
      const double start = roi.empty() ? 0 : roi[i], end = roi.empty() ? 1 : roi[rank + i];
      if (axis.scale == 1.0f && axis.input == axis.output && start == 0 && end == 1) continue;
      const float exact = static_cast<float>(axis.output) / static_cast<float>(axis.input);
      const double scale = !given(3) || axis.scale != exact
                               ? static_cast<double>(axis.scale)
                               : static_cast<double>(axis.output) / static_cast<double>(axis.input);
      auto taps = resize_taps(attributes, axis, scale, start, end);
      if (!taps.ok()) return taps.status();
      const int at = static_cast<int>(i);
      passes_.push_back({shape.size(0, at), axis.input, axis.output, shape.size(at + 1, x.rank()),
                         std::move(taps).value()});
      shape[at] = axis.output;
    }
    // Results of all passes but the last, in turns in two halves.
    half_ = 0;
    for (size_t i = 0; i + 1 < passes_.size(); ++i)
      half_ = std::max(half_, align_up(static_cast<size_t>(passes_[i].outer * passes_[i].output *
                                                           passes_[i].inner) *
                                       size_of(context.inputs[0].dtype)));
    context.scratch_bytes = 2 * half_;
    clip_ =
        context.inputs[0].dtype == DType::kF32 ? FusedClip(attributes, context.isa) : FusedClip();
    return {};
  }

  void run(const RunContext& context) override {
    const Operand &x = context.inputs[0], &y = context.outputs[0];
    const size_t bytes = y.view().bytes();
    if (bytes == 0) return;
    const auto size = static_cast<int64_t>(size_of(x.dtype));
    const std::byte* from = x.as<std::byte>();
    if (passes_.empty()) std::memcpy(y.data, from, bytes);
    for (size_t i = 0; i < passes_.size(); ++i) {
      std::byte* to = i + 1 == passes_.size() ? y.as<std::byte>() : context.scratch + i % 2 * half_;
      const Pass& p = passes_[i];
      const int64_t grain =
          std::max<int64_t>(1, 16384 / std::max<int64_t>(1, p.inner * p.taps.taps));
      context.pool.parallel_for(p.outer * p.output, grain, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          const std::byte* slab = from + row / p.output * p.input * p.inner * size;
          if (nearest_ && x.dtype != DType::kF32)
            std::memcpy(to + row * p.inner * size,
                        slab + p.taps.index[static_cast<size_t>(row % p.output)] * p.inner * size,
                        static_cast<size_t>(p.inner * size));
          else
            weigh(p, row % p.output, reinterpret_cast<const float*>(slab),
                  reinterpret_cast<float*>(to) + row * p.inner);
        }
      });
      from = to;
    }
    if (clip_.active()) clip_.apply(y.as<float>(), y.shape.size());
  }

 private:
  /// Start of every axis, then end of every axis.
  static Result<std::vector<double>> read_roi(const PrepareContext& context, bool given) {
    const auto rank = static_cast<size_t>(context.inputs[0].shape.rank());
    std::vector<double> roi(2 * rank, 0.0);
    std::fill(roi.begin() + static_cast<std::ptrdiff_t>(rank), roi.end(), 1.0);
    if (!given) return invalid_argument("tf_crop_and_resize expects a roi (input 1)");
    const Operand& input = context.inputs[1];
    if (input.data == nullptr) return unsupported("needs the value of input 1");
    if (input.dtype != DType::kF32)
      return unsupported("expects a roi of f32, found " + std::string(name_of(input.dtype)));
    const auto listed = context.node.attributes.get_ints(Attr::axes);
    const size_t count = listed.empty() ? rank : listed.size();
    if (input.shape.size() != static_cast<int64_t>(2 * count))
      return invalid_argument("expects a roi of " + std::to_string(2 * count) + " values, found " +
                              to_string(input.shape));
    for (size_t i = 0; i < count; ++i) {
      const size_t axis =
          listed.empty() ? i
                         : static_cast<size_t>(normalize_axis(listed[i], static_cast<int>(rank)));
      roi[axis] = input.as<float>()[i];
      roi[rank + axis] = input.as<float>()[count + i];
    }
    return roi;
  }

  void weigh(const Pass& p, int64_t output, const float* x, float* y) const {
    const auto o = static_cast<size_t>(output), taps = static_cast<size_t>(p.taps.taps);
    if (!p.taps.outside.empty() && p.taps.outside[o]) {
      std::fill_n(y, p.inner, extrapolation_);
      return;
    }
    for (size_t t = 0; t < taps; ++t) {
      const float w = p.taps.weight[o * taps + t];
      const float* row = x + p.taps.index[o * taps + t] * p.inner;
      if (t == 0)
        for (int64_t i = 0; i < p.inner; ++i) y[i] = w * row[i];
      else
        for (int64_t i = 0; i < p.inner; ++i) y[i] += w * row[i];
    }
  }

  bool nearest_;
  float extrapolation_ = 0;
  std::vector<Pass> passes_;
  size_t half_ = 0;
  FusedClip clip_;
};

}  // namespace

std::unique_ptr<Step> resize_step(const model::Model& model, const model::NodeInfo& node) {
  if (model.tensors[static_cast<size_t>(node.inputs[0])].dtype != DType::kF32 && !is_nearest(node))
    return nullptr;
  return std::make_unique<ResizeStep>(is_nearest(node));
}

}  // namespace nibble::run
