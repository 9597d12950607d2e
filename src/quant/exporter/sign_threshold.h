#pragma once

#include "deploy/base/tensor.h"
#include "quant/graph/graph.h"

namespace nibble::exporter {

/// Below which real number the result of `node` (none: a graph input), on the binary grid, is -1.
/// That is 0; but the sum of an integer op is often exactly 0, and a runtime that adds real numbers
/// finds a tiny number of either sign there. So the threshold lies half a step of the sum below:
/// -s_x s_w[n] / 2 of a weighted op, in a shape that broadcasts to its result, -s_x / (2 positions)
/// of a global mean.
Tensor sign_threshold();
Tensor sign_threshold(const graph::Graph& graph, const graph::Node& node);

}  // namespace nibble::exporter
