#include "quant/transform/edit.h"

#include <algorithm>

namespace nibble::transform {

using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::ValueId;

std::span<const float> reals(const Graph& graph, ValueId id) {
  if (!graph.is_constant(id)) return {};
  const graph::Value& value = graph.value(id);
  if (value.constant->dtype() != DType::kF32 || value.quant) return {};
  return value.constant->span<float>();
}

std::vector<int64_t> integers(const Graph& graph, ValueId id) {
  if (!graph.is_constant(id)) return {};
  const Tensor& tensor = *graph.value(id).constant;
  std::vector<int64_t> result;
  if (tensor.dtype() == DType::kI64)
    for (int64_t v : tensor.span<int64_t>()) result.push_back(v);
  if (tensor.dtype() == DType::kI32)
    for (int32_t v : tensor.span<int32_t>()) result.push_back(v);
  return result;
}

int sole_reader(const Graph& graph, const graph::Uses& uses, ValueId id) {
  if (uses.is_output[id] || uses.readers[id].size() != 1 || graph.value(id).quant) return -1;
  return uses.readers[id][0];
}

void absorb(Graph& graph, int first, int second) {
  graph.nodes[first].outputs[0] = graph.nodes[second].outputs[0];
  graph.nodes.erase(graph.nodes.begin() + second);
}

ValueId add_reals(Graph& graph, const std::string& name, const Shape& shape,
                  std::span<const float> values) {
  return graph.add_constant(name, Tensor::of<float>(shape, values));
}

void set_input(Node& node, size_t i, ValueId id) {
  if (node.inputs.size() <= i) node.inputs.resize(i + 1, kNoValue);
  node.inputs[i] = id;
}

ValueId input(const Node& node, size_t i) {
  return i < node.inputs.size() ? node.inputs[i] : kNoValue;
}

std::string free_node_name(const Graph& graph, const std::string& name) {
  const auto taken = [&](const std::string& candidate) {
    return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                       [&](const Node& node) { return node.name == candidate; });
  };
  std::string unique = name;
  for (int i = 1; taken(unique); ++i) unique = name + "_" + std::to_string(i);
  return unique;
}

}  // namespace nibble::transform
