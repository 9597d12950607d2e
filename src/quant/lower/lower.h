#pragma once

#include <string>
#include <vector>

#include "quant/graph/graph.h"

namespace nibble::lower {

/// Spatial ops to [N, spatial..., C]: permutes shapes, constants and axes, inserts Transpose at the
/// frontier and cancels pairs. A value keeps its name when it is permuted. Works on every phase;
/// the result computes the same numbers.
graph::Graph channels_last(const graph::Graph& graph);

struct Island {
  std::string node;
  graph::Op op;
  std::string why;  // in words: "Softmax has no integer kernel"
};

struct Lowered {
  graph::Graph graph;           // phase kInteger, channels_last
  std::vector<Island> islands;  // nodes that stay float
};

/// Annotated graph -> integer graph: codes, zero points and bias folded into int32 constants,
/// requantisation factors in the graph's variant, overflow proved per output channel (Error(kModel)
/// naming node and channel when it can't be).
Lowered lower_to_integer(const graph::Graph& annotated);

}  // namespace nibble::lower
