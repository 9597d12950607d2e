#include "quant/importer/node_draft.h"

#include <algorithm>

#include "quant/importer/tensor_reader.h"

namespace nibble::importer {

using onnx::AttributeProto;

NodeDraft::NodeDraft(const onnx::NodeProto& proto, std::string name, Context& context)
    : context(context), opset(context.opset), proto_(proto), name_(std::move(name)) {
  for (const auto& attribute : proto.attribute()) {
    const auto same = [&](const auto* a) { return a->name() == attribute.name(); };
    if (std::any_of(left_.begin(), left_.end(), same))
      fail("attribute '" + attribute.name() + "' appears twice");
    left_.push_back(&attribute);
  }
}

void NodeDraft::fail(const std::string& what) const {
  throw Error(ErrorKind::kModel, proto_.op_type() + ": " + what, context.graph.source, name_);
}

const AttributeProto* NodeDraft::take(std::string_view key, AttributeProto::AttributeType type) {
  const auto it = std::find_if(left_.begin(), left_.end(),
                               [&](const AttributeProto* a) { return a->name() == key; });
  if (it == left_.end()) return nullptr;
  const AttributeProto* found = *it;
  left_.erase(it);
  // Before IR version 2 the type was implied; every later writer states it.
  if (found->type() != type)
    fail("attribute '" + std::string(key) + "' has type " + std::to_string(found->type()) +
         ", expected " + std::to_string(type));
  return found;
}

std::optional<int64_t> NodeDraft::take_int(std::string_view key) {
  const auto* found = take(key, AttributeProto::INT);
  return found ? std::optional(found->i()) : std::nullopt;
}

std::optional<float> NodeDraft::take_float(std::string_view key) {
  const auto* found = take(key, AttributeProto::FLOAT);
  return found ? std::optional(found->f()) : std::nullopt;
}

std::optional<std::string> NodeDraft::take_string(std::string_view key) {
  const auto* found = take(key, AttributeProto::STRING);
  return found ? std::optional(found->s()) : std::nullopt;
}

std::optional<std::vector<int64_t>> NodeDraft::take_ints(std::string_view key) {
  const auto* found = take(key, AttributeProto::INTS);
  if (!found) return std::nullopt;
  return std::vector<int64_t>(found->ints().begin(), found->ints().end());
}

std::optional<std::vector<float>> NodeDraft::take_floats(std::string_view key) {
  const auto* found = take(key, AttributeProto::FLOATS);
  if (!found) return std::nullopt;
  return std::vector<float>(found->floats().begin(), found->floats().end());
}

std::optional<Tensor> NodeDraft::take_tensor(std::string_view key) {
  const auto* found = take(key, AttributeProto::TENSOR);
  if (!found) return std::nullopt;
  return read_tensor(found->t(), context.graph.source, context.external).tensor;
}

void NodeDraft::ignore(std::string_view key) {
  std::erase_if(left_, [&](const AttributeProto* a) { return a->name() == key; });
}

bool NodeDraft::has_input(size_t index) const {
  return index < inputs.size() && inputs[index] != graph::kNoValue;
}

const Tensor* NodeDraft::constant_input(size_t index) const {
  return has_input(index) ? context.graph.value(inputs[index]).constant.get() : nullptr;
}

void NodeDraft::set_input(size_t index, std::string_view what, Tensor tensor) {
  if (inputs.size() <= index) inputs.resize(index + 1, graph::kNoValue);
  inputs[index] = context.graph.add_constant(name_ + "_" + std::string(what), std::move(tensor));
}

void NodeDraft::ints_to_input(std::string_view key, size_t index) {
  const auto list = take_ints(key);
  if (!list) return;
  if (has_input(index)) fail("has both attribute and input '" + std::string(key) + "'");
  set_input(index, key, Tensor::of<int64_t>({static_cast<int64_t>(list->size())}, *list));
}

void NodeDraft::finish(const std::vector<Attr>& keys) {
  for (const Attr key : keys) {
    const std::string_view text = model::name_of(key);
    switch (model::kind_of(key)) {
      case model::AttrKind::kInt:
        if (const auto value = take_int(text)) attributes.set(key, *value);
        break;
      case model::AttrKind::kFloat:
        if (const auto value = take_float(text)) attributes.set(key, *value);
        break;
      case model::AttrKind::kInts:
        if (const auto value = take_ints(text)) attributes.set(key, *value);
        break;
      case model::AttrKind::kFloats:
        if (const auto value = take_floats(text)) attributes.set(key, *value);
        break;
      case model::AttrKind::kString:
        if (const auto value = take_string(text)) attributes.set(key, *value);
        break;
    }
  }
  if (!left_.empty())
    fail("attribute '" + left_.front()->name() + "' is not known (opset " + std::to_string(opset) +
         ")");
  while (!inputs.empty() && inputs.back() == graph::kNoValue) inputs.pop_back();
  check_arity();
  context.graph.nodes.push_back(
      {op, name_, std::move(attributes), std::move(inputs), std::move(outputs)});
}

void NodeDraft::check_arity() const {
  const model::OpInfo& info = model::info_of(op);
  const int in = static_cast<int>(inputs.size()), out = static_cast<int>(outputs.size());
  if (in < info.min_inputs || (info.max_inputs >= 0 && in > info.max_inputs))
    fail("found " + std::to_string(in) + " inputs, expected " + std::to_string(info.min_inputs) +
         (info.max_inputs < 0 ? " or more" : " to " + std::to_string(info.max_inputs)));
  for (int i = 0; i < info.min_inputs; ++i)
    if (inputs[static_cast<size_t>(i)] == graph::kNoValue)
      fail("input " + std::to_string(i) + " is missing");
  if (out < 1 || (info.max_outputs >= 0 && out > info.max_outputs))
    fail("found " + std::to_string(out) + " used outputs, expected 1" +
         (info.max_outputs < 0 ? " or more" : " to " + std::to_string(info.max_outputs)));
}

}  // namespace nibble::importer
