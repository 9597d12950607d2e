// Y = alpha A B + beta C as Y = A (alpha B) + (beta C), where the operands that must change are
// constants.

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

ValueId scaled(Graph& g, ValueId id, float factor, const std::string& name) {
  std::vector<float> values;
  for (float v : reals(g, id)) values.push_back(v * factor);
  return add_reals(g, name, g.value(id).shape, values);
}

bool rewrite_one(Graph& g) {
  for (size_t i = 0; i < g.nodes.size(); ++i) {
    if (g.nodes[i].op != Op::kGemm) continue;
    const Node& node = g.nodes[i];
    const ValueId c = input(node, 2);
    const float alpha = node.attributes.get_float(Attr::alpha, 1);
    const float beta = c == kNoValue ? 1 : node.attributes.get_float(Attr::beta, 1);
    const bool can_alpha = alpha != 1 && !reals(g, node.inputs[1]).empty();
    const bool can_beta = beta != 1 && !reals(g, c).empty();
    if (!can_alpha && !can_beta) continue;
    if (can_alpha) {
      const ValueId b = scaled(g, g.nodes[i].inputs[1], alpha, g.nodes[i].name + "_weights");
      g.nodes[i].inputs[1] = b;
      g.nodes[i].attributes.erase(Attr::alpha);
    }
    if (can_beta) {
      const ValueId bias = scaled(g, c, beta, g.nodes[i].name + "_bias");
      g.nodes[i].inputs[2] = bias;
      g.nodes[i].attributes.erase(Attr::beta);
    }
    return true;
  }
  return false;
}

}  // namespace

namespace method {

extern const Transform unit_gemm;
const Transform unit_gemm = {
    .on_by_default = true,
    .apply = [](Graph& graph) { return repeat(graph, rewrite_one); },
};

}  // namespace method
}  // namespace nibble::transform
