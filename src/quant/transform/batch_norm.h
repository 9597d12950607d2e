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

}  // namespace nibble::transform
