#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quant/graph/graph.h"

namespace nibble::lower {

/// The integers of one weighted op, output channel by output channel.
struct Weights {
  int64_t channels = 0;        // N
  int64_t length = 0;          // K, the terms of one sum
  std::vector<int32_t> codes;  // [N][K]
  std::vector<int32_t> zero;   // z_w [N]
  std::vector<float> scale;    // s_w [N]
  numeric::QuantParams grid;   // as annotated, channel axis 0
  Shape shape;                 // [N, K...], N first
};

/// Codes, zero points and scales of a Conv, Gemm or MatMul whose verdict is kWeighted; Gemm and
/// MatMul weights are brought to [N, K].
Weights weights_of(const graph::Graph& graph, const graph::Node& node);

/// q_b = rne(b / (s_x s_w)) by channel, zeros without a bias. Throws Error(kModel) naming node and
/// channel when |b / (s_x s_w)| >= 2^30: a channel with tiny weights needs a larger scale first
/// (raise_scales_for_bias).
std::vector<int32_t> bias_codes(const graph::Graph& graph, const graph::Node& node, float x_scale,
                                const Weights& weights);

/// Proves, for channel after channel, that no partial sum of
///   sum_k (q_w - z_w)(q_x - z_x) + q_b          and, in the form that kernels compute,
///   sum_k (q_w - z_w) q_x + q_b - z_x sum_k (q_w - z_w)
/// leaves int32, whatever codes in [qmin, qmax] the input has. Throws Error(kModel) otherwise,
/// naming node, channel and bound. `x` is the grid as stored.
void prove_no_overflow(const graph::Graph& graph, const graph::Node& node,
                       const numeric::QuantParams& x, const Weights& weights,
                       std::span<const int32_t> bias);

}  // namespace nibble::lower
