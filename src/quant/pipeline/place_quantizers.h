#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quant/calibrate/estimator.h"
#include "quant/graph/graph.h"
#include "quant/recipe/recipe.h"

namespace nibble::pipeline {

/// A set of values that must share one grid (they are linked by pools, shape ops and aligned
/// concatenations), and the value whose real numbers fix it.
struct ActivationGrid {
  std::vector<graph::ValueId> values;
  graph::ValueId observe;  // of the graph as given, so a float run can observe it by name
  calibrate::GridSpec spec;
};

struct WeightGrid {
  int node;              // index in the returned graph
  graph::ValueId value;  // a constant read by this node alone
  calibrate::GridSpec spec;
  numeric::Granularity granularity;
  int axis, block_axis;
  int64_t group;
};

/// Where quantisers go and how wide they are; the grids' scales are not chosen yet.
struct Placement {
  graph::Graph graph;  // the input, with Requantize nodes where a reader wants a narrower grid
  std::vector<ActivationGrid> activations;
  std::vector<WeightGrid> weights;
  std::vector<std::string>
      notes;  // what deviates from the scheme and why: "conv1: first layer, kept at 8 bits"
};

/// Applies what a scheme means: the data inputs of weighted ops take the scheme's
/// activation width, seen through pools and shape ops; other quantised tensors (Add, Concat,
/// activation products, global means, outputs of integer ops) keep 8 bits; a value read by both
/// kinds is stored at 8 bits and requantised for the weighted op. Throws Error(kUsage) for ternary
/// weights that are asked to be asymmetric.
Placement place_quantizers(const graph::Graph& graph, const recipe::Recipe& recipe);

}  // namespace nibble::pipeline
