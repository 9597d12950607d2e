#pragma once

#include <string>
#include <vector>

#include "quant/graph/graph.h"

namespace nibble::lower {

/// Spatial ops to [N, spatial..., C]: permutes shapes, constants and axes, inserts Transpose at the
/// frontier and cancels pairs. A value keeps its name when it is permuted. Works on every phase;
/// the result computes the same numbers.
graph::Graph channels_last(const graph::Graph& graph);

/// What to pack to simulate an annotated graph: channels_last, and every change of representation a
/// node (explicit_grids.h). Run in the runtime, its results equal those of lower_to_integer() bit
/// for bit. Quantised values keep their names; a quantised graph input "x" is followed by
/// "x_quantized".
graph::Graph simulation(const graph::Graph& annotated);

/// Raises the scale of every weight channel (group, tensor) whose bias would not fit: |b / (s_x
/// s_w)| < 2^30 afterwards (channels with all but vanishing weights). Returns how many. To be
/// called when all grids are chosen; lowering throws where it was needed and not done.
int raise_scales_for_bias(graph::Graph& annotated);

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
