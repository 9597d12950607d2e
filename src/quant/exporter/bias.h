#pragma once

#include <optional>

#include "quant/graph/graph.h"

namespace nibble::exporter {

/// A bias on the accumulator's grid (docs/numerics.md): codes[n] = rne(b[n] / (s_x s_w[n])), scales
/// float(s_x s_w[n]), shape [N].
struct IntegerBias {
  Tensor codes;               // i32, the bias' shape
  int axis = 0;               // of the bias: its output channels
  std::vector<float> scales;  // one, or one an output channel
};

/// The bias of `node` if it runs on integers: a Conv or Gemm whose input and output have one scale
/// each and whose constant weights have one a tensor or an output channel (or group of them). Empty
/// for every other node and when a code would not fit int32.
std::optional<IntegerBias> integer_bias(const graph::Graph& graph, const graph::Node& node);

}  // namespace nibble::exporter
