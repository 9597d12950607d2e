// QuantizeLinear and DequantizeLinear as ops: the output type is stated by a zero point, always.

#include <cstring>

#include "quant/importer/rules.h"
#include "quant/onnx/element_type.h"

namespace nibble::importer {

using onnx::ElementType;

namespace {

const onnx::ElementInfo* info_of(int64_t number) {
  return number == static_cast<int32_t>(number) ? onnx::info_of(static_cast<int32_t>(number))
                                                : nullptr;
}

/// Codes narrower than their container saturate at the bounds of their own type.
void set_bounds(NodeDraft& node, ElementType type) {
  if (onnx::info_of(type).bits >= 8) return;
  node.attributes.set(Attr::y_min, int64_t{onnx::lowest(type)});
  node.attributes.set(Attr::y_max, int64_t{onnx::highest(type)});
}

}  // namespace

void adapt_quantize_linear(NodeDraft& node) {
  const int64_t type = node.take_int("output_dtype").value_or(0);
  if (node.has_input(2)) {
    const auto stored = node.context.stored.find(node.inputs[2]);
    if (stored != node.context.stored.end()) set_bounds(node, stored->second);
    return;
  }
  if (type == 0) return;
  const auto* info = info_of(type);
  if (!info || !onnx::is_code_type(info->type))
    node.fail("output_dtype=" + (info ? std::string(info->name) : std::to_string(type)) +
              " is not supported");
  const Tensor* scale = node.constant_input(1);
  if (!scale) node.fail("output_dtype needs a constant scale");
  Tensor zero(*info->dtype, scale->shape());
  if (zero.bytes()) std::memset(zero.data(), 0, zero.bytes());
  node.set_input(2, "zero_point", std::move(zero));
  node.context.stored[node.inputs[2]] = info->type;
  set_bounds(node, info->type);
}

void adapt_dequantize_linear(NodeDraft& node) {
  // float16, bfloat16 and double results become f32 like every other real tensor.
  const int64_t type = node.take_int("output_dtype").value_or(0);
  if (type == 0) return;
  const auto* info = info_of(type);
  if (!info || info->dtype != DType::kF32)
    node.fail("output_dtype=" + std::to_string(type) + " is not supported");
}

}  // namespace nibble::importer
