#pragma once

#include <optional>
#include <vector>

#include "quant/graph/graph.h"

namespace nibble::transform {

/// y = g x + h by channel, in binary64.
struct ChannelAffine {
  std::vector<double> g, h;
};

/// A BatchNormalization with constant parameters: g = gamma / sqrt(var + eps), h = beta - g mean.
std::optional<ChannelAffine> affine_of_batch_norm(const graph::Graph& graph,
                                                  const graph::Node& node);

/// Folds one constant factor or offset into the weighted op before it (fold_affine.cc).
bool fold_one_affine(graph::Graph& graph);

}  // namespace nibble::transform
