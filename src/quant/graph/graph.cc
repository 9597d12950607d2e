#include "quant/graph/graph.h"

#include <algorithm>
#include <queue>
#include <unordered_set>

#include "deploy/model/infer_shapes.h"
#include "quant/graph/error.h"
#include "quant/graph/shape_values.h"

namespace nibble::graph {
namespace {

ErrorKind kind_of(const Status& status) {
  return status.code() == StatusCode::kInternal ? ErrorKind::kInternal : ErrorKind::kModel;
}

}  // namespace

ValueId Graph::find(const std::string& name) const {
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].name == name) return static_cast<ValueId>(i);
  return kNoValue;
}

ValueId Graph::add_value(std::string name, DType dtype, const Shape& shape) {
  std::string unique = name;
  for (int suffix = 1; !names_.insert(unique).second; ++suffix)
    unique = name + "_" + std::to_string(suffix);
  values.push_back({std::move(unique), dtype, shape, nullptr, std::nullopt});
  return static_cast<ValueId>(values.size()) - 1;
}

void Graph::rename(ValueId id, const std::string& name) {
  if (value(id).name == name) return;
  if (!names_.insert(name).second)
    throw Error(ErrorKind::kInternal, "value name '" + name + "' is taken", source);
  names_.erase(value(id).name);
  value(id).name = name;
}

void Graph::swap_names(ValueId a, ValueId b) {
  std::swap(value(a).name, value(b).name);
}

ValueId Graph::add_constant(std::string name, Tensor tensor) {
  const ValueId id = add_value(std::move(name), tensor.dtype(), tensor.shape());
  value(id).constant = std::make_shared<const Tensor>(std::move(tensor));
  return id;
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& node : nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  std::replace(outputs.begin(), outputs.end(), from, to);
}

int Graph::remove_dead_nodes() {
  std::vector<char> live(values.size(), 0);
  for (ValueId id : outputs) live[id] = 1;
  std::vector<char> keep(nodes.size(), 0);
  // Topological order: every reader stands behind its producer, so one backward sweep is the fixed
  // point.
  for (size_t i = nodes.size(); i-- > 0;) {
    const Node& node = nodes[i];
    keep[i] = std::any_of(node.outputs.begin(), node.outputs.end(),
                          [&](ValueId id) { return id != kNoValue && live[id]; });
    if (!keep[i]) continue;
    for (ValueId id : node.inputs)
      if (id != kNoValue) live[id] = 1;
  }
  const size_t before = nodes.size();
  size_t kept = 0;
  for (size_t i = 0; i < before; ++i) {
    if (!keep[i]) continue;
    if (kept != i) nodes[kept] = std::move(nodes[i]);
    ++kept;
  }
  nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(kept), nodes.end());
  return static_cast<int>(before - kept);
}

void Graph::drop_unused_values() {
  std::vector<ValueId> place(values.size(), kNoValue);
  std::vector<Value> kept;
  const auto keep = [&](ValueId& id) {
    if (id == kNoValue) return;
    if (place[id] == kNoValue) {
      place[id] = static_cast<ValueId>(kept.size());
      kept.push_back(std::move(value(id)));
    }
    id = place[id];
  };
  for (ValueId& id : inputs) keep(id);
  for (Node& node : nodes) {
    for (ValueId& id : node.inputs) keep(id);
    for (ValueId& id : node.outputs) keep(id);
  }
  for (ValueId& id : outputs) keep(id);
  values = std::move(kept);
  names_.clear();
  for (const Value& v : values) names_.insert(v.name);
}

void Graph::sort_nodes() {
  const Uses uses(*this);
  std::vector<int> waiting(nodes.size(), 0);
  for (size_t i = 0; i < nodes.size(); ++i) {
    std::unordered_set<ValueId> seen;
    for (ValueId id : nodes[i].inputs)
      if (id != kNoValue && uses.producer[id] >= 0 && seen.insert(id).second) ++waiting[i];
  }
  // Smallest index first: the order stays as it is wherever dependencies allow.
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (size_t i = 0; i < nodes.size(); ++i)
    if (waiting[i] == 0) ready.push(static_cast<int>(i));
  std::vector<Node> sorted;
  sorted.reserve(nodes.size());
  while (!ready.empty()) {
    const int i = ready.top();
    ready.pop();
    for (ValueId id : nodes[i].outputs) {
      if (id == kNoValue) continue;
      for (int reader : uses.readers[id])
        if (--waiting[reader] == 0) ready.push(reader);
    }
    sorted.push_back(std::move(nodes[i]));
  }
  if (sorted.size() != nodes.size()) {
    const auto stuck = std::find_if(waiting.begin(), waiting.end(), [](int n) { return n > 0; });
    throw Error(ErrorKind::kModel, "is part of a cycle; a graph must be acyclic", source,
                nodes[stuck - waiting.begin()].name);
  }
  nodes = std::move(sorted);
}

void Graph::infer_shapes() {
  ShapeValues shape_values(*this);
  std::vector<model::ShapeInput> in;
  std::vector<model::ShapeOutput> out;
  for (Node& node : nodes) {
    in.clear();
    for (ValueId id : node.inputs) {
      if (id == kNoValue) {
        in.push_back({.present = false, .dtype = DType::kF32, .shape = {}, .data = nullptr});
        continue;
      }
      const Value& v = value(id);
      const void* data = v.constant ? v.constant->data() : nullptr;
      if (!data && v.dtype == DType::kI64)
        if (const auto* numbers = shape_values.numbers(id, node.op == Op::kReshape))
          data = numbers->data();
      in.push_back({.present = true, .dtype = v.dtype, .shape = v.shape, .data = data});
    }
    out.clear();
    for (ValueId id : node.outputs) {
      if (id == kNoValue) {
        out.emplace_back();
      } else {
        out.push_back({value(id).dtype, value(id).shape});
      }
    }
    const Status status = model::infer_shapes(node.op, node.attributes, in, out);
    // A shape that depends on values is found at run time; what was declared stands until then.
    if (status.code() == StatusCode::kUnsupported) continue;
    throw_if_error(status, kind_of(status), source, node.name);
    if (node.op == Op::kReshape || node.op == Op::kConstantOfShape)
      shape_values.fill(node.inputs[node.op == Op::kReshape ? 1 : 0], out[0].shape);
    for (size_t i = 0; i < out.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      Value& v = value(node.outputs[i]);
      v.dtype = out[i].dtype;
      // Rank agrees: keep what an earlier, better informed pass knew about a dimension.
      if (v.shape.rank() == out[i].shape.rank())
        for (int d = 0; d < v.shape.rank(); ++d)
          if (out[i].shape[d] == kUnknownDim) out[i].shape[d] = v.shape[d];
      v.shape = out[i].shape;
    }
    shape_values.evaluate(node);
  }
}

Uses::Uses(const Graph& graph)
    : producer(graph.values.size(), -1),
      readers(graph.values.size()),
      is_output(graph.values.size(), 0) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const int index = static_cast<int>(i);
    for (ValueId id : graph.nodes[i].outputs)
      if (id != kNoValue) producer[id] = index;
    for (ValueId id : graph.nodes[i].inputs)
      if (id != kNoValue && (readers[id].empty() || readers[id].back() != index))
        readers[id].push_back(index);
  }
  for (ValueId id : graph.outputs) is_output[id] = 1;
}

}  // namespace nibble::graph
