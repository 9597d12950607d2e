#include "quant/importer/node_grid.h"

#include <algorithm>

namespace nibble::importer {
namespace {

using graph::Attr;
using graph::kNoValue;
using numeric::Granularity;
using numeric::QuantParams;
using numeric::RangeKind;
using onnx::ElementType;

const Tensor* constant_input(const graph::Node& node, size_t index, const Context& context) {
  if (index >= node.inputs.size() || node.inputs[index] == kNoValue) return nullptr;
  return context.graph.value(node.inputs[index]).constant.get();
}

/// Sets granularity and axes from the shape of the scales; false if QuantParams cannot say it.
bool set_granularity(const graph::Node& node, const Shape& shape, const Shape& scales,
                     QuantParams& params) {
  const int64_t block = node.attributes.get_int(Attr::block_size, 0);
  if (scales.size() == 1 && block == 0) {
    params.granularity = Granularity::kTensor;
    return true;
  }
  const int64_t stated = node.attributes.get_int(Attr::axis, 1);
  if (!shape.known() || stated < -shape.rank() || stated >= shape.rank()) return false;
  const int axis = normalize_axis(stated, shape.rank());
  if (block == 0) {
    params.granularity = Granularity::kChannel;
    params.axis = axis;
    return scales.rank() == 1 && scales[0] == shape[axis];
  }
  if (block < 1 || scales.rank() != shape.rank() || shape.rank() < 2) return false;
  int channel = axis == 0 ? 1 : 0;
  for (int i = 0; i < shape.rank(); ++i) {
    const int64_t expected = i == axis ? (shape[i] + block - 1) / block : shape[i];
    if (scales[i] != expected) return false;
    if (i != axis && shape[i] > 1) channel = i;
  }
  for (int i = 0; i < shape.rank(); ++i)
    if (i != axis && i != channel && shape[i] != 1) return false;
  params.granularity = Granularity::kBlock;
  params.axis = channel;
  params.block_axis = axis;
  params.group = block;
  return true;
}

/// The elements of a scale-shaped tensor in the order of QuantParams: [axis index][block].
template <class T>
std::vector<T> in_order(std::span<const T> elements, const Shape& shape,
                        const QuantParams& params) {
  std::vector<T> ordered(elements.begin(), elements.end());
  if (params.granularity != Granularity::kBlock || params.axis < params.block_axis) return ordered;
  const int64_t blocks = shape[params.block_axis], channels = shape[params.axis];
  for (int64_t block = 0; block < blocks; ++block)
    for (int64_t channel = 0; channel < channels; ++channel)
      ordered[static_cast<size_t>(channel * blocks + block)] =
          elements[static_cast<size_t>(block * channels + channel)];
  return ordered;
}

std::vector<int32_t> codes_of(const Tensor& tensor) {
  std::vector<int32_t> codes(static_cast<size_t>(tensor.size()));
  visit_dtype(tensor.dtype(), [&]<class T>(std::type_identity<T>) {
    std::transform(tensor.span<T>().begin(), tensor.span<T>().end(), codes.begin(),
                   [](T code) { return static_cast<int32_t>(code); });
  });
  return codes;
}

}  // namespace

std::optional<ElementType> code_type_of(const graph::Node& node, const Context& context) {
  const bool quantizes = node.op == graph::Op::kQuantizeLinear;
  const auto it = context.stored.find(quantizes ? node.outputs[0] : node.inputs[0]);
  if (it == context.stored.end() || !onnx::is_code_type(it->second)) return std::nullopt;
  return it->second;
}

std::optional<QuantParams> scales_of_node(const graph::Node& node, const Shape& shape,
                                          const Context& context) {
  const Tensor* scales = constant_input(node, 1, context);
  if (!scales || scales->dtype() != DType::kF32) return std::nullopt;
  QuantParams params;
  if (!set_granularity(node, shape, scales->shape(), params)) return std::nullopt;
  params.scales = in_order(scales->span<float>(), scales->shape(), params);
  return params;
}

std::optional<QuantParams> grid_of_node(const graph::Node& node, const Shape& shape,
                                        const Context& context) {
  const auto type = code_type_of(node, context);
  if (!type) return std::nullopt;
  auto params = scales_of_node(node, shape, context);
  if (!params) return std::nullopt;
  bool shifted = false;
  if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) {
    const Tensor* zero = constant_input(node, 2, context);
    const Tensor& scales = *constant_input(node, 1, context);
    if (!zero || zero->size() != scales.size()) return std::nullopt;
    const auto codes = codes_of(*zero);
    params->zero_points = in_order(std::span<const int32_t>(codes), scales.shape(), *params);
    shifted = std::any_of(codes.begin(), codes.end(), [](int32_t z) { return z != 0; });
    if (!shifted) params->zero_points.clear();
  }
  params->bits = onnx::info_of(*type).bits;
  params->qmin = onnx::lowest(*type);
  params->qmax = onnx::highest(*type);
  params->range = onnx::is_signed(*type) && !shifted ? RangeKind::kFull : RangeKind::kAsymmetric;
  if (!numeric::check(*params, shape).ok()) return std::nullopt;
  return params;
}

}  // namespace nibble::importer
