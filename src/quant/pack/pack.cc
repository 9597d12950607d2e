#include "quant/pack/pack.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "deploy/model/nbl.h"
#include "quant/graph/error.h"
#include "quant/pack/records.h"

namespace nibble::pack {
namespace {

using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Value;
using graph::ValueId;

// By value id: named by a node, an input or an output.
std::vector<char> reachable(const Graph& graph) {
  std::vector<char> used(graph.values.size(), 0);
  const auto mark = [&](const std::vector<ValueId>& ids) {
    for (ValueId id : ids)
      if (id != kNoValue) used[static_cast<size_t>(id)] = 1;
  };
  mark(graph.inputs);
  mark(graph.outputs);
  for (const Node& node : graph.nodes) {
    mark(node.inputs);
    mark(node.outputs);
  }
  return used;
}

// The model and the packed streams its tensors point into.
struct Draft {
  model::Model model;
  std::vector<Buffer> streams;
};

model::TensorInfo draft_tensor(const Value& value,
                               const std::optional<format::PackedRecord>& record,
                               std::vector<Buffer>& streams) {
  model::TensorInfo tensor;
  tensor.name = value.name;
  tensor.dtype = value.dtype;
  tensor.shape = value.shape;
  tensor.is_constant = value.constant != nullptr;
  if (record) {
    // Scales of packed weights live in the multipliers or in DequantizeLinear's input: not twice.
    tensor.packed = *record;
    const Buffer& stream = streams.emplace_back(pack_codes(value, *record));
    tensor.data = {stream.data(), stream.size()};
    return tensor;
  }
  if (value.quant) tensor.quant = value.quant->params;
  if (value.constant) tensor.data = {value.constant->data(), value.constant->bytes()};
  return tensor;
}

// What a small dense constant without a grid holds; "" where `value` is anything else. Scalars,
// axes and shapes repeat from node to node: those that hold the same are one tensor.
std::string contents(const Value& value) {
  constexpr size_t kSmall = 256;
  if (!value.constant || value.quant || value.constant->bytes() > kSmall) return {};
  return std::string(name_of(value.dtype)) + to_string(value.shape) + '\0' +
         std::string(reinterpret_cast<const char*>(value.constant->data()),
                     value.constant->bytes());
}

Draft draft_model(const Graph& graph) {
  Draft draft;
  model::Model& model = draft.model;
  model.phase = graph.phase;
  model.requantise = graph.requantise;
  model.metadata = graph.metadata;
  const auto records = packed_records(graph);
  const auto used = reachable(graph);
  std::vector<int> index(graph.values.size(), model::kNoTensor);
  std::unordered_map<std::string, int> small;
  for (size_t id = 0; id < graph.values.size(); ++id) {
    if (!used[id]) continue;
    index[id] = static_cast<int>(model.tensors.size());
    const bool named = std::find(graph.outputs.begin(), graph.outputs.end(),
                                 static_cast<ValueId>(id)) != graph.outputs.end();
    const std::string held = records[id] || named ? "" : contents(graph.values[id]);
    if (!held.empty()) {
      index[id] = small.try_emplace(held, index[id]).first->second;
      if (index[id] != static_cast<int>(model.tensors.size())) continue;
    }
    model.tensors.push_back(draft_tensor(graph.values[id], records[id], draft.streams));
  }
  const auto indices = [&](const std::vector<ValueId>& ids) {
    std::vector<int> out;
    for (ValueId id : ids)
      out.push_back(id == kNoValue ? model::kNoTensor : index[static_cast<size_t>(id)]);
    return out;
  };
  model.inputs = indices(graph.inputs);
  model.outputs = indices(graph.outputs);
  for (const Node& node : graph.nodes)
    model.nodes.push_back(
        {node.op, node.name, node.attributes, indices(node.inputs), indices(node.outputs)});
  return draft;
}

}  // namespace

Buffer pack_nbl(const Graph& graph) {
  return model::write_nbl(draft_model(graph).model);
}

std::shared_ptr<const model::Model> pack(const Graph& graph) {
  // In-process bytes: nothing can have damaged them, so no checksums.
  auto model = model::parse_nbl(std::make_shared<const Buffer>(pack_nbl(graph)), graph.source,
                                {.verify_checksums = false});
  throw_if_error(model.status(), ErrorKind::kInternal);
  return std::move(model).value();
}

}  // namespace nibble::pack
