// QuantizeLinear and DequantizeLinear as ops.

#include "quant/importer/rules.h"
#include "quant/onnx/element_type.h"

namespace nibble::importer {
namespace {

using onnx::ElementType;

const onnx::ElementInfo* info_of(int64_t number) {
  return number == static_cast<int32_t>(number) ? onnx::info_of(static_cast<int32_t>(number))
                                                : nullptr;
}

/// ONNX lets one zero point be a scalar or a list of one, whatever the scale is; here it follows
/// it.
void shape_zero_like_scale(NodeDraft& node) {
  const Tensor* zero = node.constant_input(2);
  if (!zero || zero->size() != 1 || !node.has_input(1)) return;
  const Shape& scale = node.context.graph.value(node.inputs[1]).shape;
  if (zero->shape() == scale || !scale.known() || scale.size() != 1) return;
  const auto stored = node.context.stored.at(node.inputs[2]);
  Tensor reshaped = zero->clone();
  reshaped.reshape(scale);
  node.set_input(2, "zero_point", std::move(reshaped));
  node.context.stored[node.inputs[2]] = stored;
}

}  // namespace

void adapt_quantize_linear(NodeDraft& node) {
  shape_zero_like_scale(node);
  // The type of the codes: the zero point's, else output_dtype, else uint8.
  ElementType type = ElementType::kUint8;
  const int64_t stated = node.take_int("output_dtype").value_or(0);
  if (node.has_input(2)) {
    const auto stored = node.context.stored.find(node.inputs[2]);
    if (stored == node.context.stored.end()) return;  // computed: a whole byte or more
    type = stored->second;
  } else if (stated != 0) {
    const auto* info = info_of(stated);
    if (!info || !onnx::is_code_type(info->type))
      node.fail("output_dtype=" + (info ? std::string(info->name) : std::to_string(stated)) +
                " is not supported");
    type = info->type;
  }
  const auto* info = &onnx::info_of(type);
  if (!onnx::is_code_type(type))
    node.fail("codes of " + std::string(info->name) + " are not supported");
  node.context.stored[node.outputs[0]] = type;
  node.context.graph.value(node.outputs[0]).dtype = *info->dtype;
  if (info->bits >= 8) return;
  // Codes narrower than their container saturate at the bounds of their own type.
  node.attributes.set(Attr::y_min, int64_t{onnx::lowest(type)});
  node.attributes.set(Attr::y_max, int64_t{onnx::highest(type)});
}

void adapt_dequantize_linear(NodeDraft& node) {
  shape_zero_like_scale(node);
  // float16, bfloat16 and double results become f32 like every other real tensor.
  const int64_t type = node.take_int("output_dtype").value_or(0);
  if (type == 0) return;
  const auto* info = info_of(type);
  if (!info || info->dtype != DType::kF32)
    node.fail("output_dtype=" + std::to_string(type) + " is not supported");
}

}  // namespace nibble::importer
