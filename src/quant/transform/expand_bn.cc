// A BatchNormalization that has no weighted neighbour: y = x g + h, two element-wise nodes with
// constants [1, C, 1, ...].

#include "quant/transform/batch_norm.h"
#include "quant/transform/edit.h"
#include "quant/transform/transform.h"

namespace nibble::transform {
namespace {

using graph::Graph;
using graph::Node;
using graph::Op;
using graph::ValueId;

bool expand_one(Graph& g) {
  for (size_t i = 0; i < g.nodes.size(); ++i) {
    if (g.nodes[i].op != Op::kBatchNormalization) continue;
    const auto affine = affine_of_batch_norm(g, g.nodes[i]);
    if (!affine) continue;
    const Node node = g.nodes[i];
    const ValueId x = node.inputs[0], y = node.outputs[0];
    Shape shape{1, static_cast<int64_t>(affine->g.size())};
    while (shape.rank() < g.value(x).shape.rank()) shape.push_back(1);
    const std::vector<float> scale(affine->g.begin(), affine->g.end());
    const std::vector<float> offset(affine->h.begin(), affine->h.end());
    const ValueId product = g.add_value(g.value(y).name + "_scaled", DType::kF32, g.value(x).shape);
    const ValueId factor = add_reals(g, node.name + "_scale", shape, scale);
    const ValueId term = add_reals(g, node.name + "_offset", shape, offset);
    g.nodes[i] = {Op::kMul, free_node_name(g, node.name + "_mul"), {}, {x, factor}, {product}};
    g.nodes.insert(g.nodes.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                   {Op::kAdd, node.name, {}, {product, term}, {y}});
    return true;
  }
  return false;
}

}  // namespace

namespace method {

extern const Transform expand_bn;
const Transform expand_bn = {
    .on_by_default = true,
    .apply = [](Graph& graph) { return repeat(graph, expand_one); },
};

}  // namespace method
}  // namespace nibble::transform
