#pragma once

#include <span>
#include <string>
#include <vector>

#include "quant/graph/graph.h"

/// What several transforms do to graphs.
namespace nibble::transform {

/// The numbers of an f32 constant without a grid; empty for anything else (and for no elements).
std::span<const float> reals(const graph::Graph& graph, graph::ValueId id);
/// The integers of an i64 or i32 constant; empty otherwise.
std::vector<int64_t> integers(const graph::Graph& graph, graph::ValueId id);

/// The one node that reads `id`; -1 when it has no reader, several, is a graph output or has a grid
/// of its own: then it must stay as it is.
int sole_reader(const graph::Graph& graph, const graph::Uses& uses, graph::ValueId id);

/// Node `first` makes what `second`, its sole reader, made; `second` is erased.
void absorb(graph::Graph& graph, int first, int second);

/// Constant f32 vector or tensor of the same data as `values`.
graph::ValueId add_reals(graph::Graph& graph, const std::string& name, const Shape& shape,
                         std::span<const float> values);

/// Sets input i, appending absent ones before it.
void set_input(graph::Node& node, size_t i, graph::ValueId id);
graph::ValueId input(const graph::Node& node, size_t i);

/// `name`, or the first of name_1, name_2, ... that no node has.
std::string free_node_name(const graph::Graph& graph, const std::string& name);

/// Calls `step`, which changes one place and returns whether it found one, until it finds none;
/// returns how many it changed. Orders the nodes afterwards.
template <class Step>
int repeat(graph::Graph& graph, Step step) {
  int count = 0;
  while (step(graph)) ++count;
  if (count > 0) graph.sort_nodes();
  return count;
}

}  // namespace nibble::transform
