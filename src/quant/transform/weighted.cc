#include "quant/transform/weighted.h"

#include "quant/transform/edit.h"

namespace nibble::transform {

using graph::Attr;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Op;
using graph::ValueId;

Weighted::Weighted(const Graph& graph, const Node& node) : op_(node.op) {
  if (op_ != Op::kConv && op_ != Op::kConvTranspose && op_ != Op::kGemm && op_ != Op::kMatMul)
    return;
  const std::span<const float> weights = reals(graph, node.inputs[1]);
  if (weights.empty()) return;
  weights_.assign(weights.begin(), weights.end());
  shape_ = graph.value(node.inputs[1]).shape;
  switch (op_) {
    case Op::kConv:
      groups_ = node.attributes.get_int(Attr::group, 1);
      outputs_ = shape_[0];
      inputs_ = shape_[1] * groups_;
      taps_ = shape_.size(2, shape_.rank());
      break;
    case Op::kConvTranspose:
      groups_ = node.attributes.get_int(Attr::group, 1);
      outputs_ = shape_[1] * groups_;
      inputs_ = shape_[0];
      taps_ = shape_.size(2, shape_.rank());
      break;
    default:  // Gemm, MatMul: [K, N], or [N, K]
      if (shape_.rank() != 2) return;
      by_row_ = op_ == Op::kGemm && node.attributes.get_int(Attr::transB, 0) != 0;
      outputs_ = shape_[by_row_ ? 0 : 1];
      inputs_ = shape_[by_row_ ? 1 : 0];
  }
  const ValueId bias = input(node, 2);
  has_bias_ = bias != kNoValue;
  bias_.assign(static_cast<size_t>(outputs_), 0.0);
  if (op_ == Op::kGemm && (node.attributes.get_float(Attr::alpha, 1) != 1 ||
                           (has_bias_ && node.attributes.get_float(Attr::beta, 1) != 1)))
    return;
  if (has_bias_) {
    const std::span<const float> given = reals(graph, bias);
    const Shape& s = graph.value(bias).shape;
    const bool one = given.size() == 1;
    if (!one && (static_cast<int64_t>(given.size()) != outputs_ || s[s.rank() - 1] != outputs_))
      return;
    for (size_t n = 0; n < bias_.size(); ++n) bias_[n] = given[one ? 0 : n];
  }
  valid_ = true;
}

int64_t Weighted::output_of(int64_t i) const {
  if (op_ == Op::kConv) return i / (taps_ * shape_[1]);
  if (op_ == Op::kConvTranspose) {
    const int64_t per_group = shape_[0] / groups_;
    return i / (taps_ * shape_[1]) / per_group * shape_[1] + i / taps_ % shape_[1];
  }
  return by_row_ ? i / shape_[1] : i % shape_[1];
}

int64_t Weighted::input_of(int64_t i) const {
  if (op_ == Op::kConv) {
    const int64_t group = output_of(i) / (outputs_ / groups_);
    return group * shape_[1] + i / taps_ % shape_[1];
  }
  if (op_ == Op::kConvTranspose) return i / (taps_ * shape_[1]);
  return by_row_ ? i % shape_[1] : i / shape_[1];
}

void Weighted::scale_outputs(std::span<const double> g, std::span<const double> h) {
  for (size_t i = 0; i < weights_.size(); ++i)
    weights_[i] *= g[static_cast<size_t>(output_of(static_cast<int64_t>(i)))];
  for (size_t n = 0; n < bias_.size(); ++n) bias_[n] = bias_[n] * g[n] + h[n];
  for (double offset : h) has_bias_ |= offset != 0;
}

void Weighted::scale_inputs(std::span<const double> g, std::span<const double> h) {
  for (size_t i = 0; i < weights_.size(); ++i) {
    const auto c = static_cast<size_t>(input_of(static_cast<int64_t>(i)));
    bias_[static_cast<size_t>(output_of(static_cast<int64_t>(i)))] += weights_[i] * h[c];
    weights_[i] *= g[c];
  }
  for (double offset : h) has_bias_ |= offset != 0;
}

void Weighted::store(Graph& graph, int index) const {
  const std::vector<float> weights(weights_.begin(), weights_.end());
  const std::vector<float> bias(bias_.begin(), bias_.end());
  const std::string& name = graph.nodes[static_cast<size_t>(index)].name;
  const ValueId w = add_reals(graph, name + "_weights", shape_, weights);
  const ValueId b = has_bias_ ? add_reals(graph, name + "_bias", {outputs_}, bias) : kNoValue;
  Node& node = graph.nodes[static_cast<size_t>(index)];
  node.inputs[1] = w;
  if (!has_bias_) return;
  set_input(node, 2, b);
  if (node.op == Op::kMatMul) node.op = Op::kGemm;
}

bool channels_at_axis_1(const Graph& graph, const Node& node) {
  return node.op == Op::kConv || node.op == Op::kConvTranspose ||
         graph.value(node.outputs[0]).shape.rank() == 2;
}

}  // namespace nibble::transform
