#include "quant/lower/fuse_residuals.h"

#include <algorithm>

namespace nibble::lower {
namespace {

using graph::Attr;
using graph::Graph;
using graph::Node;
using graph::Op;
using graph::ValueId;

constexpr size_t kResidual = 6;  // its place among the inputs of QConv and QGemm

bool is_8_bit(const Graph& graph, ValueId id) {
  return graph.value(id).dtype == DType::kI8;
}

/// Whether the product may add `other` to its result: it has an output stage that knows residuals.
bool takes_residual(const Graph& graph, const Node& product, ValueId other) {
  const ValueId y = product.outputs[0];
  return (product.op == Op::kQConv || product.op == Op::kQGemm) &&
         product.attributes.get_int(Attr::group, 1) == 1 && product.inputs.size() <= kResidual &&
         product.attributes.get_int(Attr::binary, 0) == 0 && is_8_bit(graph, product.inputs[0]) &&
         is_8_bit(graph, y) && is_8_bit(graph, other) &&
         graph.value(y).shape == graph.value(other).shape;
}

/// The product with the sum behind it; operand `side` of the sum is the product's result.
Node fused(const Node& product, const Node& sum, size_t side) {
  Node node = product;
  const auto m = sum.attributes.get_floats(Attr::multiplier);
  const Attr zero = side == 0 ? Attr::b_zero : Attr::x_zero;
  node.attributes.set(Attr::residual_zero, sum.attributes.get_int(zero, 0));
  node.attributes.set(Attr::sum_multiplier, std::vector<float>{m[side], m[1 - side]});
  node.attributes.set(Attr::sum_zero, sum.attributes.get_int(Attr::y_zero, 0));
  node.attributes.set(Attr::sum_min, sum.attributes.get_int(Attr::y_min, -128));
  node.attributes.set(Attr::sum_max, sum.attributes.get_int(Attr::y_max, 127));
  node.inputs.resize(kResidual, graph::kNoValue);
  node.inputs.push_back(sum.inputs[1 - side]);
  node.outputs = sum.outputs;
  return node;
}

}  // namespace

int fuse_residuals(Graph& graph) {
  if (graph.requantise != graph::RequantiseVariant::kFloat) return 0;
  const graph::Uses uses(graph);
  std::vector<char> moved(graph.nodes.size(), 0);  // products that stand at their sum's place now
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node sum = graph.nodes[i];
    if (sum.op != Op::kQAdd || sum.inputs[0] == sum.inputs[1] || !is_8_bit(graph, sum.outputs[0]))
      continue;
    // The later of two products: the other operand is there by then in any order of the nodes.
    int chosen = -1;
    size_t side = 0;
    for (size_t s = 0; s < 2; ++s) {
      const ValueId x = sum.inputs[s];
      const int p = uses.producer[static_cast<size_t>(x)];
      if (p <= chosen || moved[static_cast<size_t>(p)] || uses.is_output[static_cast<size_t>(x)] ||
          uses.readers[static_cast<size_t>(x)].size() != 1 ||
          !takes_residual(graph, graph.nodes[static_cast<size_t>(p)], sum.inputs[1 - s]))
        continue;
      chosen = p;
      side = s;
    }
    if (chosen < 0) continue;
    graph.nodes[i] = fused(graph.nodes[static_cast<size_t>(chosen)], sum, side);
    moved[static_cast<size_t>(chosen)] = 1;
  }
  size_t kept = 0;
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    if (!moved[i]) {
      if (kept != i) graph.nodes[kept] = std::move(graph.nodes[i]);
      ++kept;
    }
  const int count = static_cast<int>(graph.nodes.size() - kept);
  graph.nodes.resize(kept, Node{Op::kIdentity, {}, {}, {}, {}});
  return count;
}

}  // namespace nibble::lower
