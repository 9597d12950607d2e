#pragma once

#include <span>
#include <vector>

#include "quant/graph/graph.h"

namespace nibble::transform {

/// The constants of a Conv, ConvTranspose, Gemm or MatMul while a per-channel affine map is folded
/// into them. Not valid when the weights are no f32 constant, or the bias is neither absent nor one
/// constant number a channel (Gemm: with alpha = beta = 1).
class Weighted {
 public:
  Weighted(const graph::Graph& graph, const graph::Node& node);

  bool valid() const { return valid_; }
  int64_t outputs() const { return outputs_; }
  int64_t inputs() const { return inputs_; }

  /// y' = g y + h by output channel.
  void scale_outputs(std::span<const double> g, std::span<const double> h);
  /// x = g x' + h by input channel. Exact only where nothing is padded.
  void scale_inputs(std::span<const double> g, std::span<const double> h);

  /// Writes new constants; the node `index` of `graph` reads them. A MatMul becomes a Gemm if it
  /// has got a bias (its operands are then matrices).
  void store(graph::Graph& graph, int index) const;

 private:
  int64_t output_of(int64_t element) const;
  int64_t input_of(int64_t element) const;

  graph::Op op_;
  bool valid_ = false, has_bias_ = false, by_row_ = false;
  Shape shape_;
  int64_t outputs_ = 0, inputs_ = 0, groups_ = 1, taps_ = 1;
  std::vector<double> weights_, bias_;
};

/// The axis of the result that counts output channels: 1 for convolutions and matrices, the last
/// one of a MatMul.
bool channels_at_axis_1(const graph::Graph& graph, const graph::Node& node);

}  // namespace nibble::transform
