#include <algorithm>
#include <string>

#include "deploy/model/check.h"

namespace nibble::model {
namespace {

enum class Made : char { kNot, kConstant, kInput, kNode };

std::string number(size_t n) {
  return std::to_string(n);
}

bool in_range(const Model& model, int tensor) {
  return tensor >= 0 && static_cast<size_t>(tensor) < model.tensors.size();
}

Status bad_index(const char* role, size_t position, int tensor, const Model& model) {
  return corrupt(std::string(role) + " " + number(position) + " is tensor " +
                 std::to_string(tensor) + "; expected 0 to " +
                 std::to_string(static_cast<int64_t>(model.tensors.size()) - 1));
}

Status check_arity(const NodeInfo& node) {
  const OpInfo& op = info_of(node.op);
  const auto inputs = static_cast<int>(node.inputs.size());
  const auto outputs = static_cast<int>(node.outputs.size());
  if (inputs < op.min_inputs || (op.max_inputs >= 0 && inputs > op.max_inputs))
    return corrupt(std::to_string(inputs) + " inputs; " + std::string(op.name) + " takes " +
                   std::to_string(op.min_inputs) + " to " +
                   (op.max_inputs < 0 ? "any number" : std::to_string(op.max_inputs)));
  if (outputs < 1 || (op.max_outputs >= 0 && outputs > op.max_outputs))
    return corrupt(std::to_string(outputs) + " outputs; " + std::string(op.name) + " has 1 to " +
                   (op.max_outputs < 0 ? "any number" : std::to_string(op.max_outputs)));
  return {};
}

Status check_attributes(const NodeInfo& node) {
  for (const auto& [key, value] : node.attributes.entries())
    if (key == Attr::to && !is_dtype(static_cast<int>(std::get<int64_t>(value))))
      return corrupt("attribute 'to' is " + std::to_string(std::get<int64_t>(value)) +
                     "; expected the number of a type");
  return {};
}

bool reads_packed(Op op, size_t input) {
  return ((op == Op::kQConv || op == Op::kQGemm || op == Op::kQGemmReal) && input == 1) ||
         (op == Op::kDequantizeLinear && input == 0);
}

// Packed constants have no dense elements: only the ops that know formats may read them.
Status check_packed_use(const NodeInfo& node, size_t input, const TensorInfo& tensor) {
  const bool packed = tensor.packed.format != format::FormatId::kPlain;
  if (packed && !reads_packed(node.op, input))
    return corrupt("input " + number(input) + " is packed; " + std::string(name_of(node.op)) +
                   " reads dense tensors");
  const bool needs_packed = (node.op == Op::kQConv || node.op == Op::kQGemm) && input == 1;
  if (needs_packed && !packed)
    return corrupt("input " + number(input) + " is not packed; expected packed weights");
  if (packed && tensor.packed.format == format::FormatId::kDepthwise &&
      (node.op == Op::kQGemm || node.op == Op::kQGemmReal))
    return corrupt("input " + number(input) + " is packed for a depthwise convolution");
  return {};
}

Status check_node(const Model& model, const NodeInfo& node, std::vector<Made>& made) {
  NIBBLE_RETURN_IF_ERROR(check_arity(node));
  NIBBLE_RETURN_IF_ERROR(check_attributes(node));
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const int t = node.inputs[i];
    if (t == kNoTensor && static_cast<int>(i) >= info_of(node.op).min_inputs) continue;
    if (!in_range(model, t)) return bad_index("input", i, t, model);
    const TensorInfo& tensor = model.tensors[static_cast<size_t>(t)];
    if (made[static_cast<size_t>(t)] == Made::kNot)
      return corrupt("input " + number(i) + " (" + quoted("tensor", tensor.name) +
                     ") is not made by an earlier node");
    NIBBLE_RETURN_IF_ERROR(check_packed_use(node, i, tensor));
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const int t = node.outputs[i];
    if (!in_range(model, t)) return bad_index("output", i, t, model);
    if (made[static_cast<size_t>(t)] != Made::kNot)
      return corrupt("output " + number(i) + " (" +
                     quoted("tensor", model.tensors[static_cast<size_t>(t)].name) +
                     ") is made twice");
    made[static_cast<size_t>(t)] = Made::kNode;
  }
  return {};
}

Status check_booleans(const TensorInfo& tensor) {
  if (!tensor.is_constant || tensor.dtype != DType::kBool) return {};
  const auto bad = std::find_if(tensor.data.begin(), tensor.data.end(),
                                [](std::byte b) { return b > std::byte{1}; });
  if (bad == tensor.data.end()) return {};
  return corrupt(quoted("tensor", tensor.name) + ": boolean " +
                 std::to_string(static_cast<int>(*bad)) + "; expected 0 or 1");
}

}  // namespace

Status check_graph(const Model& model) {
  std::vector<Made> made(model.tensors.size(), Made::kNot);
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    NIBBLE_RETURN_IF_ERROR(check_booleans(model.tensors[i]));
    if (model.tensors[i].is_constant) made[i] = Made::kConstant;
  }
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    const int t = model.inputs[i];
    if (!in_range(model, t)) return bad_index("model input", i, t, model);
    if (made[static_cast<size_t>(t)] != Made::kNot)
      return corrupt("model input " + number(i) + " is a constant or listed twice");
    made[static_cast<size_t>(t)] = Made::kInput;
  }
  for (const NodeInfo& node : model.nodes)
    if (Status s = check_node(model, node, made); !s.ok())
      return {s.code(), quoted("node", node.name) + ": " + s.message()};
  for (size_t i = 0; i < model.outputs.size(); ++i) {
    const int t = model.outputs[i];
    if (!in_range(model, t)) return bad_index("model output", i, t, model);
    const TensorInfo& tensor = model.tensors[static_cast<size_t>(t)];
    if (made[static_cast<size_t>(t)] == Made::kNot)
      return corrupt("model output " + number(i) + " (" + quoted("tensor", tensor.name) +
                     ") is not made by any node");
    if (tensor.packed.format != format::FormatId::kPlain)
      return corrupt("model output " + number(i) + " is a packed constant");
  }
  return {};
}

}  // namespace nibble::model
