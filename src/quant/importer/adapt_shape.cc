// Older forms of ops that move data.

#include <algorithm>

#include "quant/importer/rules.h"

namespace nibble::importer {
namespace {

Tensor scalar(float value) {
  return Tensor::of<float>({}, std::span(&value, 1));
}

/// Resize's optional inputs are written as empty tensors by opset 11 and 12.
void drop_empty_input(NodeDraft& node, size_t index) {
  const Tensor* tensor = node.constant_input(index);
  if (tensor && tensor->size() == 0) node.inputs[index] = graph::kNoValue;
}

/// Resize before opset 11 and Upsample: source index = output index / scale, no interpolation mode.
void set_asymmetric(NodeDraft& node, const char* nearest_mode) {
  node.attributes.set(Attr::coordinate_transformation_mode, std::string("asymmetric"));
  node.attributes.set(Attr::nearest_mode, std::string(nearest_mode));
}

}  // namespace

void adapt_slice(NodeDraft& node) {
  if (node.opset >= 10) return;
  node.ints_to_input("starts", 1);
  node.ints_to_input("ends", 2);
  node.ints_to_input("axes", 3);
}

void adapt_pad(NodeDraft& node) {
  if (node.opset >= 11) return;
  node.ints_to_input("pads", 1);
  if (const auto value = node.take_float("value")) node.set_input(2, "value", scalar(*value));
}

void adapt_axes_input(NodeDraft& node) {
  node.ints_to_input("axes", 1);
}

void adapt_split(NodeDraft& node) {
  node.ints_to_input("split", 1);
  if (node.has_input(1)) return;
  const auto parts = static_cast<int64_t>(node.outputs.size());
  const int64_t stated = node.take_int("num_outputs").value_or(parts);
  if (stated != parts)
    node.fail("num_outputs is " + std::to_string(stated) + ", but the node has " +
              std::to_string(parts) + " outputs");
  node.attributes.set(Attr::num_outputs, parts);
}

void adapt_upsample(NodeDraft& node) {
  if (const auto scales = node.take_floats("scales")) {
    node.inputs.resize(1, graph::kNoValue);
    node.set_input(2, "scales", Tensor::of<float>({static_cast<int64_t>(scales->size())}, *scales));
  } else {
    if (node.inputs.size() != 2) node.fail("needs its scales");
    node.inputs = {node.inputs[0], graph::kNoValue, node.inputs[1]};
  }
  set_asymmetric(node, "floor");
}

void adapt_resize(NodeDraft& node) {
  if (node.opset == 10) {
    if (node.inputs.size() != 2) node.fail("needs its scales");
    // Its specification is silent on rounding: ONNX Runtime rounds up where it shrinks, else down.
    const Tensor* scales = node.constant_input(1);
    bool shrinks = false, grows = false;
    if (scales && scales->dtype() == DType::kF32)
      for (const float scale : scales->span<float>()) {
        shrinks |= scale < 1;
        grows |= scale > 1;
      }
    if (shrinks && grows) node.fail("grows and shrinks at once; supported from opset 11 on");
    node.inputs = {node.inputs[0], graph::kNoValue, node.inputs[1]};
    set_asymmetric(node, shrinks ? "ceil" : "floor");
    return;
  }
  for (size_t i = 1; i < node.inputs.size(); ++i) drop_empty_input(node, i);
}

void adapt_constant_of_shape(NodeDraft& node) {
  auto value = node.take_tensor("value");
  if (!value) return;
  if (value->size() != 1)
    node.fail("attribute 'value' has " + std::to_string(value->size()) + " elements, expected 1");
  node.set_input(1, "value", std::move(*value));
}

}  // namespace nibble::importer
