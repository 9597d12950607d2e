// Nodes that return their input: Identity, Cast to the type it has, Reshape (Flatten, Squeeze,
// Unsqueeze, Expand) to the shape it has, Transpose that moves nothing, Pad by nothing, Concat of
// one, Clip without bounds.

#include <algorithm>

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

/// Equal, with at most one unknown dimension: it is then what is left of the same product.
bool same_shape(const Graph& g, ValueId x, ValueId y) {
  const Shape &a = g.value(x).shape, &b = g.value(y).shape;
  return a == b && std::count(a.dims().begin(), a.dims().end(), kUnknownDim) <= 1;
}

bool is_identity(const Graph& g, const Node& node) {
  const ValueId x = input(node, 0), y = node.outputs[0];
  switch (node.op) {
    case Op::kIdentity:
      return true;
    case Op::kCast:
      return g.value(x).dtype == g.value(y).dtype;
    case Op::kReshape:
    case Op::kFlatten:
    case Op::kSqueeze:
    case Op::kUnsqueeze:
    case Op::kExpand:
      return same_shape(g, x, y);
    case Op::kTranspose: {
      const auto perm = node.attributes.get_ints(Attr::perm);
      return !perm.empty() && std::is_sorted(perm.begin(), perm.end());
    }
    case Op::kPad: {
      const std::vector<int64_t> pads = integers(g, input(node, 1));
      return !pads.empty() &&
             std::all_of(pads.begin(), pads.end(), [](int64_t p) { return p == 0; });
    }
    case Op::kConcat:
      return node.inputs.size() == 1;
    case Op::kClip:
      return input(node, 1) == kNoValue && input(node, 2) == kNoValue;
    default:
      return false;
  }
}

bool same_grid(const Graph& g, ValueId x, ValueId y) {
  const auto &a = g.value(x).quant, &b = g.value(y).quant;
  return a.has_value() == b.has_value() && (!a || a->params == b->params);
}

bool remove_one(Graph& g) {
  const graph::Uses uses(g);
  for (size_t i = 0; i < g.nodes.size(); ++i) {
    const Node& node = g.nodes[i];
    if (!is_identity(g, node)) continue;
    const ValueId x = node.inputs[0], y = node.outputs[0];
    if (!same_grid(g, x, y)) continue;
    if (uses.is_output[y]) {  // the name must stay: the producer takes it
      if (uses.producer[x] < 0 || uses.is_output[x]) continue;
      for (ValueId& id : g.nodes[static_cast<size_t>(uses.producer[x])].outputs)
        if (id == x) id = y;
      g.nodes.erase(g.nodes.begin() + static_cast<std::ptrdiff_t>(i));
      g.replace_uses(x, y);
    } else {
      g.nodes.erase(g.nodes.begin() + static_cast<std::ptrdiff_t>(i));
      g.replace_uses(y, x);
    }
    return true;
  }
  return false;
}

}  // namespace

namespace method {

extern const Transform remove_identity;
const Transform remove_identity = {
    .on_by_default = true,
    .apply = [](Graph& graph) { return repeat(graph, remove_one); },
};

}  // namespace method
}  // namespace nibble::transform
