// A Pad with zeros along spatial axes whose reader is a convolution: the convolution pads instead.

#include <algorithm>
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

/// Begins, then ends, of the spatial axes; nothing when the Pad is of another kind.
std::optional<std::vector<int64_t>> spatial_zeros(const Graph& g, const Node& pad) {
  const int rank = g.value(pad.inputs[0]).shape.rank();
  if (rank < 3 || pad.attributes.get_string(Attr::mode, "constant") != "constant")
    return std::nullopt;
  if (input(pad, 2) != kNoValue) {
    const std::span<const float> value = reals(g, input(pad, 2));
    if (value.size() != 1 || value[0] != 0.0f) return std::nullopt;
  }
  std::vector<int64_t> axes;
  if (input(pad, 3) == kNoValue) {
    for (int i = 0; i < rank; ++i) axes.push_back(i);
  } else {
    axes = integers(g, input(pad, 3));
  }
  const std::vector<int64_t> given = integers(g, pad.inputs[1]);
  if (given.empty() || given.size() != 2 * axes.size()) return std::nullopt;
  const auto spatial = static_cast<size_t>(rank - 2);
  std::vector<int64_t> pads(2 * spatial, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const int axis = normalize_axis(axes[i], rank);
    const int64_t begin = given[i], end = given[i + axes.size()];
    if (begin < 0 || end < 0 || (axis < 2 && (begin > 0 || end > 0))) return std::nullopt;
    if (axis < 2) continue;
    pads[static_cast<size_t>(axis) - 2] += begin;
    pads[static_cast<size_t>(axis) - 2 + spatial] += end;
  }
  return pads;
}

bool rewrite_one(Graph& g) {
  const graph::Uses uses(g);
  for (Node& conv : g.nodes) {
    if (conv.op != Op::kConv) continue;
    const auto mode = conv.attributes.get_string(Attr::auto_pad, "NOTSET");
    const int producer = uses.producer[conv.inputs[0]];
    if ((mode != "NOTSET" && mode != "VALID") || producer < 0) continue;
    const Node& pad = g.nodes[static_cast<size_t>(producer)];
    if (pad.op != Op::kPad || g.value(pad.outputs[0]).quant) continue;
    std::optional<std::vector<int64_t>> pads = spatial_zeros(g, pad);
    if (!pads) continue;
    const auto own = conv.attributes.get_ints(Attr::pads);
    if (mode == "NOTSET")
      for (size_t i = 0; i < own.size(); ++i) (*pads)[i] += own[i];
    conv.attributes.set(Attr::pads, *std::move(pads));
    conv.attributes.erase(Attr::auto_pad);
    conv.inputs[0] = pad.inputs[0];
    return true;
  }
  return false;
}

}  // namespace

namespace method {

extern const Transform pad_into_conv;
const Transform pad_into_conv = {
    .on_by_default = true,
    .apply =
        [](Graph& graph) {
          const int count = repeat(graph, rewrite_one);
          if (count > 0) graph.remove_dead_nodes();
          return count;
        },
};

}  // namespace method
}  // namespace nibble::transform
