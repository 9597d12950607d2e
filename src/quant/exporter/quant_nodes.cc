#include "quant/exporter/quant_nodes.h"

#include "deploy/numeric/quantize.h"
#include "deploy/numeric/scale_index.h"
#include "quant/graph/error.h"

namespace nibble::exporter {
namespace {

using numeric::Granularity;
using numeric::QuantParams;

Tensor scalar(float value) {
  return Tensor::of<float>({}, std::span(&value, 1));
}

/// ONNX's shape of the scales: a scalar, a list, or the tensor's with one number a block.
Shape scale_shape(const QuantParams& params, const Shape& shape) {
  switch (params.granularity) {
    case Granularity::kTensor:
      return {};
    case Granularity::kChannel:
    case Granularity::kGroup:  // ONNX has none: the group's scale is repeated
      return {shape[params.axis]};
    case Granularity::kBlock: {
      Shape blocks = shape;
      blocks[params.block_axis] = (shape[params.block_axis] + params.group - 1) / params.group;
      return blocks;
    }
  }
  __builtin_unreachable();
}

/// For each element of ONNX's scales, in order, which of QuantParams::scales it is.
std::vector<size_t> scale_order(const QuantParams& params, const Shape& shape) {
  if (params.granularity == Granularity::kTensor) return {0};
  const numeric::ScaleIndex index(params, shape);
  const Shape scales = scale_shape(params, shape);
  std::vector<size_t> order(static_cast<size_t>(scales.size()));
  const bool blocked = params.granularity == Granularity::kBlock;
  for (int64_t i = 0; i < scales.size(); ++i) {
    int64_t element = 0;  // of the tensor: the first that this scale covers
    if (blocked) {
      for (int axis = 0; axis < shape.rank(); ++axis) {
        const int64_t at = i / scales.size(axis + 1, shape.rank()) % scales[axis];
        element += at * (axis == params.block_axis ? params.group : 1) *
                   shape.size(axis + 1, shape.rank());
      }
    } else {
      element = i * shape.size(params.axis + 1, shape.rank());
    }
    order[static_cast<size_t>(i)] = index[element];
  }
  return order;
}

void set_axis(onnx::NodeProto& node, const QuantParams& params) {
  if (params.granularity == Granularity::kTensor) return;
  const bool blocked = params.granularity == Granularity::kBlock;
  GraphBuilder::set_int(node, "axis", blocked ? params.block_axis : params.axis);
  if (blocked) GraphBuilder::set_int(node, "block_size", params.group);
}

}  // namespace

std::vector<std::string> QuantNodes::add_grid(const std::string& name, const Shape& shape,
                                              const QuantParams& params, Storage storage) {
  const auto order = scale_order(params, shape);
  Tensor scales(DType::kF32, scale_shape(params, shape));
  Tensor zeros(*onnx::info_of(storage.type).dtype, scales.shape());
  for (size_t i = 0; i < order.size(); ++i) {
    scales.span<float>()[i] = params.scales[order[i]];
    visit_dtype(zeros.dtype(), [&]<class T>(std::type_identity<T>) {
      zeros.span<T>()[i] = static_cast<T>(params.zero_point(order[i]));
    });
  }
  const std::string scale = builder_.unique_value(name + "_scale");
  const std::string zero = builder_.unique_value(name + "_zero_point");
  builder_.add_initializer(scale, scales);
  builder_.add_codes(zero, zeros, storage.type);
  return {scale, zero};
}

void QuantNodes::constant(const std::string& name, const Tensor& real, const QuantParams& params,
                          Storage storage) {
  Tensor codes(*onnx::info_of(storage.type).dtype, real.shape());
  const auto status = numeric::quantize(real.view(), params, codes.view()).status();
  throw_if_error(status, ErrorKind::kInternal, {}, name);
  const std::string quantized = builder_.unique_value(name + "_quantized");
  builder_.add_codes(quantized, codes, storage.type);
  const auto grid = add_grid(name, real.shape(), params, storage);
  set_axis(builder_.add_node("DequantizeLinear", builder_.unique_node(name + "_DequantizeLinear"),
                             {quantized, grid[0], grid[1]}, {name}),
           params);
}

void QuantNodes::bias(const std::string& output, const IntegerBias& bias) {
  const std::string quantized = builder_.unique_value(output + "_quantized");
  const std::string scale = builder_.unique_value(output + "_scale");
  const bool one = bias.scales.size() == 1;
  const auto count = static_cast<int64_t>(bias.scales.size());
  builder_.add_initializer(quantized, bias.codes);
  builder_.add_initializer(scale,
                           Tensor::of<float>(one ? Shape{} : Shape{count}, std::span(bias.scales)));
  auto& node =
      builder_.add_node("DequantizeLinear", builder_.unique_node(output + "_DequantizeLinear"),
                        {quantized, scale}, {output});
  if (!one) GraphBuilder::set_int(node, "axis", bias.axis);
}

void QuantNodes::clip_to_codes(const std::string& input, const std::string& output,
                               const std::string& node, const QuantParams& params) {
  const float scale = params.scales[0];
  const int32_t zero = params.zero_point(0);
  const std::string low = builder_.unique_value(output + "_min");
  const std::string high = builder_.unique_value(output + "_max");
  builder_.add_initializer(low, scalar(scale * static_cast<float>(params.qmin - zero)));
  builder_.add_initializer(high, scalar(scale * static_cast<float>(params.qmax - zero)));
  builder_.add_node("Clip", node, {input, low, high}, {output});
}

void QuantNodes::signs(const std::string& name, const std::string& node, const std::string& input,
                       const std::string& output, const QuantParams& params,
                       const Tensor& threshold) {
  const float scale = params.scales[0];
  const std::string limit = builder_.unique_value(name + "_threshold");
  const std::string low = builder_.unique_value(name + "_low");
  const std::string high = builder_.unique_value(name + "_high");
  const std::string negative = builder_.unique_value(name + "_is_negative");
  builder_.add_initializer(limit, threshold);
  builder_.add_initializer(low, scalar(-scale));
  builder_.add_initializer(high, scalar(scale));
  builder_.add_node("Less", builder_.unique_node(name + "_Less"), {input, limit}, {negative});
  builder_.add_node("Where", node, {negative, low, high}, {output});
}

void QuantNodes::pair(const std::string& name, const std::string& node, const std::string& input,
                      const std::string& output, const QuantParams& params, Storage storage) {
  const std::string codes = builder_.unique_value(name + "_quantized");
  const auto grid = add_grid(name, {}, params, storage);
  builder_.add_node("QuantizeLinear", node, {input, grid[0], grid[1]}, {codes});
  builder_.add_node("DequantizeLinear", builder_.unique_node(name + "_DequantizeLinear"),
                    {codes, grid[0], grid[1]}, {output});
}

}  // namespace nibble::exporter
