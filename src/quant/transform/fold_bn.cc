// BatchNormalization, y = gamma (x - mean) / sqrt(var + eps) + beta, into its neighbour:
//   behind a weighted op:  W' = g W,  b' = g b + h      (by output channel)
//   before a weighted op:  W' = W g,  b' = b + sum W h  (by input channel; exact only without zero
//                          padding, so folded only there)
// with g = gamma / sqrt(var + eps), h = beta - g mean, computed in binary64. Jacob et al. 2018, eq.
// 14; Nagel et al. 2021, section 2.3.1. The node's own eps is used.

#include <algorithm>
#include <cmath>

#include "quant/transform/batch_norm.h"
#include "quant/transform/edit.h"
#include "quant/transform/transform.h"
#include "quant/transform/weighted.h"

namespace nibble::transform {

using graph::Attr;
using graph::Graph;
using graph::Node;
using graph::Op;
using graph::ValueId;

std::optional<ChannelAffine> affine_of_batch_norm(const Graph& graph, const Node& node) {
  std::span<const float> p[4];  // gamma, beta, mean, var
  for (size_t i = 0; i < 4; ++i) {
    p[i] = reals(graph, node.inputs[i + 1]);
    if (p[i].empty() || p[i].size() != p[0].size()) return std::nullopt;
  }
  const double eps = node.attributes.get_float(Attr::epsilon, 1e-5f);
  ChannelAffine affine;
  for (size_t c = 0; c < p[0].size(); ++c) {
    const double g = p[0][c] / std::sqrt(p[3][c] + eps);
    affine.g.push_back(g);
    affine.h.push_back(p[1][c] - g * p[2][c]);
  }
  return affine;
}

namespace {

bool has_activation(const Node& node) {
  return node.attributes.has(Attr::clip_min) || node.attributes.has(Attr::clip_max);
}

bool fold_behind(Graph& g, const graph::Uses& uses, int bn, const ChannelAffine& affine) {
  const ValueId x = g.nodes[bn].inputs[0];
  const int producer = uses.producer[x];
  if (producer < 0 || sole_reader(g, uses, x) != bn) return false;
  const Node& node = g.nodes[producer];
  Weighted weighted(g, node);
  if (!weighted.valid() || has_activation(node) || !channels_at_axis_1(g, node)) return false;
  if (weighted.outputs() != static_cast<int64_t>(affine.g.size())) return false;
  weighted.scale_outputs(affine.g, affine.h);
  weighted.store(g, producer);
  absorb(g, producer, bn);
  return true;
}

bool pads_nothing(const Node& node) {
  const auto pads = node.attributes.get_ints(Attr::pads);
  const auto mode = node.attributes.get_string(Attr::auto_pad, "NOTSET");
  return (mode == "NOTSET" || mode == "VALID") &&
         std::all_of(pads.begin(), pads.end(), [](int64_t p) { return p == 0; });
}

bool fold_before(Graph& g, const graph::Uses& uses, int bn, const ChannelAffine& affine) {
  const ValueId y = g.nodes[bn].outputs[0];
  const int reader = sole_reader(g, uses, y);
  if (reader < 0 || g.nodes[reader].inputs[0] != y) return false;
  const Node& node = g.nodes[reader];
  const bool is_conv = node.op == Op::kConv && pads_nothing(node);
  const bool is_matrix = (node.op == Op::kGemm || node.op == Op::kMatMul) &&
                         node.attributes.get_int(Attr::transA, 0) == 0 &&
                         g.value(y).shape.rank() == 2;
  Weighted weighted(g, node);
  if (!weighted.valid() || (!is_conv && !is_matrix)) return false;
  if (weighted.inputs() != static_cast<int64_t>(affine.g.size())) return false;
  if (std::count(node.inputs.begin(), node.inputs.end(), y) != 1) return false;
  weighted.scale_inputs(affine.g, affine.h);
  weighted.store(g, reader);
  g.nodes[reader].inputs[0] = g.nodes[bn].inputs[0];
  g.nodes.erase(g.nodes.begin() + bn);
  return true;
}

bool fold_one(Graph& g) {
  const graph::Uses uses(g);
  for (size_t i = 0; i < g.nodes.size(); ++i) {
    if (g.nodes[i].op != Op::kBatchNormalization) continue;
    const auto affine = affine_of_batch_norm(g, g.nodes[i]);
    const int bn = static_cast<int>(i);
    if (affine && (fold_behind(g, uses, bn, *affine) || fold_before(g, uses, bn, *affine)))
      return true;
  }
  return false;
}

}  // namespace

namespace method {

extern const Transform fold_bn;
const Transform fold_bn = {
    .on_by_default = true,
    // A bias or scale that is spelt out may stand between: MatMul, Add, BatchNormalization.
    .apply =
        [](Graph& graph) {
          return repeat(graph, [](Graph& g) { return fold_one(g) || fold_one_affine(g); });
        },
};

}  // namespace method
}  // namespace nibble::transform
