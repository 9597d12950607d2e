#include "quant/lower/form.h"
#include "quant/lower/integer_graph.h"
#include "quant/lower/weights.h"

namespace nibble::lower {
namespace {

using graph::Attr;
using graph::Node;
using graph::Op;
using graph::ValueId;

template <class T>
Tensor vector_of(const std::vector<T>& values) {
  return Tensor::of<T>({static_cast<int64_t>(values.size())}, std::span(values));
}

/// q_b - z_x sum_k (q_w - z_w): what a kernel that multiplies raw codes starts from.
std::vector<int32_t> folded_bias(const Weights& w, std::vector<int32_t> bias, int32_t x_zero) {
  for (int64_t n = 0; n < w.channels; ++n) {
    int64_t sum = 0;
    for (int64_t k = 0; k < w.length; ++k) sum += w.codes[n * w.length + k] - w.zero[n];
    bias[n] = static_cast<int32_t>(bias[n] - x_zero * sum);  // fits: prove_no_overflow
  }
  return bias;
}

bool any_nonzero(const std::vector<int32_t>& values) {
  for (int32_t v : values)
    if (v != 0) return true;
  return false;
}

}  // namespace

void lower_weighted(IntegerGraph& out, const Node& node) {
  const graph::Graph& g = out.source();
  const ValueId y = node.outputs[0];
  const numeric::QuantParams x = stored(*tensor_grid(g, node.inputs[0])).params;
  const double y_scale = tensor_grid(g, y)->scales[0];
  const Weights w = weights_of(g, node);
  const std::vector<int32_t> bias = bias_codes(g, node, x.scales[0], w);
  prove_no_overflow(g, node, x, w, bias);

  std::vector<float> multiplier;
  std::vector<int32_t> m0, exponent;
  for (float scale : w.scale) {
    const double m = double{x.scales[0]} * double{scale} / y_scale;
    check_multiplier(g, node, m);
    multiplier.push_back(static_cast<float>(m));
    const numeric::FixedMultiplier fixed = numeric::to_fixed(m);
    m0.push_back(fixed.m0);
    exponent.push_back(fixed.exponent);
  }
  const bool is_float = g.requantise == graph::RequantiseVariant::kFloat;

  Node q{node.op == Op::kConv ? Op::kQConv : Op::kQGemm, node.name, node.attributes, {}, {}};
  for (Attr key : {Attr::channels_last, Attr::alpha, Attr::beta, Attr::transA, Attr::transB})
    q.attributes.erase(key);
  q.inputs = {out.codes(node.inputs[0])};
  const ValueId weights =
      out.constant(g.value(node.inputs[1]).name,
                   pack_codes(w.codes, w.grid.is_signed() ? DType::kI8 : DType::kU8, w.shape));
  out.value(weights).quant = graph::QuantInfo{w.grid, g.value(node.inputs[1]).quant->chosen_by};
  q.inputs.push_back(weights);
  q.inputs.push_back(
      out.constant(node.name + "_bias", vector_of(folded_bias(w, bias, x.zero_point(0)))));
  q.inputs.push_back(
      out.constant(node.name + "_multiplier", is_float ? vector_of(multiplier) : vector_of(m0)));
  const bool has_zero = any_nonzero(w.zero);
  if (!is_float) q.inputs.push_back(out.constant(node.name + "_exponent", vector_of(exponent)));
  if (has_zero) {
    q.inputs.resize(5, graph::kNoValue);
    q.inputs.push_back(out.constant(node.name + "_weight_zero_point", vector_of(w.zero)));
  }
  out.set_zero_points(q, node.inputs[0], graph::kNoValue);
  out.set_output(q, y);
  q.outputs = {out.make_codes(y)};
  out.emit(std::move(q));
}

}  // namespace nibble::lower
