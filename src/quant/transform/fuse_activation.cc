// Relu and Clip with constant bounds behind an op that nothing else reads: its attributes clip_min,
// clip_max, y = min(max(y, clip_min), clip_max). The op then makes the activation's result, so the
// value in between is never quantised (Jacob et al. 2018, section 2.4). Two clamps in a row are
// one.

#include <algorithm>
#include <limits>
#include <optional>

#include "quant/transform/edit.h"
#include "quant/transform/transform.h"

namespace nibble::transform {
namespace {

using graph::Attr;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Op;
using graph::ValueId;

constexpr float kInf = std::numeric_limits<float>::infinity();

bool takes_bounds(Op op) {
  return op == Op::kConv || op == Op::kConvTranspose || op == Op::kGemm || op == Op::kMatMul ||
         op == Op::kAdd || op == Op::kSub || op == Op::kMul || op == Op::kDiv;
}

struct Bounds {
  float lo = -kInf, hi = kInf;
  float operator()(float y) const { return std::min(std::max(y, lo), hi); }
};

std::optional<Bounds> bounds_of(const Graph& g, const Node& node) {
  if (node.op == Op::kRelu) return Bounds{0.0f, kInf};
  if (node.op != Op::kClip) return std::nullopt;
  Bounds bounds;
  for (size_t i = 1; i <= 2; ++i) {
    if (input(node, i) == kNoValue) continue;
    const std::span<const float> bound = reals(g, input(node, i));
    if (bound.size() != 1 || bound[0] != bound[0]) return std::nullopt;
    (i == 1 ? bounds.lo : bounds.hi) = bound[0];
  }
  return bounds;
}

bool fuse_one(Graph& g) {
  const graph::Uses uses(g);
  for (size_t i = 0; i < g.nodes.size(); ++i) {
    const std::optional<Bounds> outer = bounds_of(g, g.nodes[i]);
    if (!outer) continue;
    const ValueId x = g.nodes[i].inputs[0];
    const int producer = uses.producer[x];
    if (producer < 0 || sole_reader(g, uses, x) != static_cast<int>(i)) continue;
    Node& node = g.nodes[static_cast<size_t>(producer)];
    if (!takes_bounds(node.op) || g.value(x).dtype != DType::kF32) continue;
    const Bounds inner{node.attributes.get_float(Attr::clip_min, -kInf),
                       node.attributes.get_float(Attr::clip_max, kInf)};
    const Bounds both{(*outer)(inner.lo), (*outer)(inner.hi)};
    if (both.lo > -kInf) node.attributes.set(Attr::clip_min, both.lo);
    if (both.hi < kInf) node.attributes.set(Attr::clip_max, both.hi);
    absorb(g, producer, static_cast<int>(i));
    return true;
  }
  return false;
}

}  // namespace

namespace method {

extern const Transform fuse_activation;
const Transform fuse_activation = {
    .on_by_default = true,
    .apply = [](Graph& graph) { return repeat(graph, fuse_one); },
};

}  // namespace method
}  // namespace nibble::transform
