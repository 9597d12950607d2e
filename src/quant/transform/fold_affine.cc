// A constant behind a weighted op: Mul and Div scale its weights and bias, Add and Sub its bias;
// one number, or one a channel (exports that spell biases and normalisation out). In binary64, like
// fold_bn.

#include <optional>

#include "quant/transform/batch_norm.h"
#include "quant/transform/edit.h"
#include "quant/transform/transform.h"
#include "quant/transform/weighted.h"

namespace nibble::transform {
namespace {

using graph::Attr;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Op;
using graph::ValueId;

/// One number a channel of a result of rank `rank` whose axis 1 has `channels` entries; empty when
/// the constant varies along another axis, or makes the result larger.
std::vector<double> by_channel(const Graph& g, ValueId id, int rank, int64_t channels) {
  const std::span<const float> values = reals(g, id);
  const Shape& shape = g.value(id).shape;
  if (values.empty() || shape.rank() > rank) return {};
  if (values.size() == 1) return std::vector<double>(static_cast<size_t>(channels), values[0]);
  const int axis = 1 - (rank - shape.rank());
  if (axis < 0 || shape[axis] != channels || static_cast<int64_t>(values.size()) != channels)
    return {};
  return {values.begin(), values.end()};
}

std::optional<ChannelAffine> affine_of(const Graph& g, const Node& node, ValueId x,
                                       int64_t channels) {
  const bool first = node.inputs[0] == x;
  const ValueId other = node.inputs[first ? 1 : 0];
  const std::vector<double> c = by_channel(g, other, g.value(x).shape.rank(), channels);
  if (c.empty()) return std::nullopt;
  ChannelAffine affine{std::vector<double>(c.size(), 1.0), std::vector<double>(c.size(), 0.0)};
  for (size_t i = 0; i < c.size(); ++i) {
    if (node.op == Op::kMul) {
      affine.g[i] = c[i];
    } else if (node.op == Op::kDiv && first) {
      affine.g[i] = 1 / c[i];
    } else if (node.op == Op::kAdd) {
      affine.h[i] = c[i];
    } else if (node.op == Op::kSub) {
      affine.g[i] = first ? 1 : -1;
      affine.h[i] = first ? -c[i] : c[i];
    } else {
      return std::nullopt;
    }
  }
  return affine;
}

}  // namespace

bool fold_one_affine(Graph& g) {
  const graph::Uses uses(g);
  for (size_t i = 0; i < g.nodes.size(); ++i) {
    const Node& node = g.nodes[i];
    if (node.op != Op::kMul && node.op != Op::kDiv && node.op != Op::kAdd && node.op != Op::kSub)
      continue;
    if (node.attributes.has(Attr::clip_min) || node.attributes.has(Attr::clip_max)) continue;
    for (ValueId x : node.inputs) {
      const int producer = uses.producer[x];
      if (producer < 0 || sole_reader(g, uses, x) != static_cast<int>(i)) continue;
      const Node& before = g.nodes[static_cast<size_t>(producer)];
      if (before.attributes.has(Attr::clip_min) || before.attributes.has(Attr::clip_max)) continue;
      Weighted weighted(g, before);
      if (!weighted.valid() || !channels_at_axis_1(g, before)) continue;
      const auto affine = affine_of(g, node, x, weighted.outputs());
      if (!affine) continue;
      weighted.scale_outputs(affine->g, affine->h);
      weighted.store(g, producer);
      absorb(g, producer, static_cast<int>(i));
      return true;
    }
  }
  return false;
}

namespace method {

extern const Transform fold_affine;
const Transform fold_affine = {
    .on_by_default = true,
    .apply = [](Graph& graph) { return repeat(graph, fold_one_affine); },
};

}  // namespace method
}  // namespace nibble::transform
