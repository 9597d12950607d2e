#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quant/graph/graph.h"
#include "quant/recipe/recipe.h"

namespace nibble::pipeline {

/// True for Conv, ConvTranspose, Gemm, MatMul whose second operand is a constant.
bool is_weighted(const graph::Graph& graph, const graph::Node& node);

/// The scheme of every node of `graph` (by node index): the recipe's scheme; 8 bits at least for
/// the first and last weighted layers; `layers` beats both; empty for nodes that `exclude` keeps in
/// float. Throws Error(kUsage) for a regular expression that is broken or matches no node.
std::vector<std::optional<recipe::Scheme>> layer_schemes(const graph::Graph& graph,
                                                         const recipe::Recipe& recipe);

}  // namespace nibble::pipeline
