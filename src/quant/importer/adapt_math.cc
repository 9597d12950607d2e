// Older and training forms of ops that compute.

#include <algorithm>

#include "quant/importer/rules.h"
#include "quant/onnx/element_type.h"

namespace nibble::importer {
namespace {

Tensor scalar(float value) {
  return Tensor::of<float>({}, std::span(&value, 1));
}

}  // namespace

void adapt_clip(NodeDraft& node) {
  if (node.opset >= 11) return;
  if (const auto low = node.take_float("min")) node.set_input(1, "min", scalar(*low));
  if (const auto high = node.take_float("max")) node.set_input(2, "max", scalar(*high));
}

void adapt_softmax(NodeDraft& node) {
  if (node.opset >= 13) return;
  node.attributes.set(Attr::axis, node.take_int("axis").value_or(1));
  node.attributes.set(Attr::flatten_from_axis, 1);
}

void adapt_batch_normalization(NodeDraft& node) {
  if (node.take_int("training_mode").value_or(0) != 0)
    node.fail("training_mode=1 is not supported");
  if (node.take_int("spatial").value_or(1) != 1) node.fail("spatial=0 is not supported");
  if (node.outputs.size() > 1) node.fail("its training outputs are read; only Y is supported");
}

void adapt_layer_normalization(NodeDraft& node) {
  if (const int64_t type = node.take_int("stash_type").value_or(1); type != 1)
    node.fail("stash_type=" + std::to_string(type) + ", expected 1 (float)");
}

void adapt_dropout(NodeDraft& node) {
  if (node.outputs.size() > 1) node.fail("its mask is read; only inference is supported");
  if (node.has_input(2)) {
    const Tensor* training = node.constant_input(2);
    const bool off = training && training->dtype() == DType::kBool && training->size() == 1 &&
                     training->data()[0] == std::byte{0};
    if (!off) node.fail("training_mode must be a constant false");
  }
  if (node.inputs.size() > 1) node.inputs.resize(1);
}

void adapt_cast(NodeDraft& node) {
  const auto to = node.take_int("to");
  if (!to) node.fail("attribute 'to' is missing");
  const auto* info =
      *to == static_cast<int32_t>(*to) ? onnx::info_of(static_cast<int32_t>(*to)) : nullptr;
  // Narrower integers than a byte would need wrapping to their width.
  if (!info || !info->dtype || info->bits < 8)
    node.fail("to=" + (info ? std::string(info->name) : std::to_string(*to)) + " is not supported");
  node.attributes.set(Attr::to, static_cast<int64_t>(*info->dtype));
}

/// A sum of n operands is n - 1 additions, from the left.
void adapt_sum(NodeDraft& node) {
  if (node.inputs.size() < 2) {
    node.op = Op::kIdentity;
    return;
  }
  for (size_t i = 2; i < node.inputs.size(); ++i) {
    const std::string name = node.context.unique_node_name(node.name() + "_partial");
    const ValueId partial = node.context.graph.add_value(name, DType::kF32, {});
    node.context.graph.nodes.push_back(
        {Op::kAdd, name, {}, {node.inputs[0], node.inputs[i - 1]}, {partial}});
    node.inputs[0] = partial;
  }
  node.inputs = {node.inputs.front(), node.inputs.back()};
}

}  // namespace nibble::importer
