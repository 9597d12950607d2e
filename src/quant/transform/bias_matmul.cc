// MatMul by a constant matrix, plus a constant vector over its columns, where more than two axes
// keep fold_affine from it (token sequences): the leading axes are made one, the product becomes a
// Gemm with a bias, and the result takes its shape back.

#include <algorithm>

#include "quant/transform/edit.h"
#include "quant/transform/transform.h"

namespace nibble::transform {
namespace {

using graph::Attr;
using graph::Graph;
using graph::Node;
using graph::Op;
using graph::ValueId;

/// A Reshape can name at most one dimension that it does not know.
bool nameable(const Shape& shape) {
  return std::count(shape.dims().begin(), shape.dims().end(), kUnknownDim) <= 1;
}

ValueId add_target(Graph& g, const std::string& name, const Shape& shape) {
  std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());  // kUnknownDim is -1
  return g.add_constant(name, Tensor::of<int64_t>({shape.rank()}, std::span<const int64_t>(dims)));
}

bool rewrite_one(Graph& g) {
  const graph::Uses uses(g);
  for (size_t i = 0; i < g.nodes.size(); ++i) {
    if (g.nodes[i].op != Op::kMatMul) continue;
    const Node product = g.nodes[i];
    const Shape a = g.value(product.inputs[0]).shape;
    const Shape b = g.value(product.inputs[1]).shape;
    const Shape y = g.value(product.outputs[0]).shape;
    if (!g.is_constant(product.inputs[1]) || b.rank() != 2 || a.rank() < 3 || !nameable(y))
      continue;
    if (!b.known() || b.size() == 0) continue;
    const int next = sole_reader(g, uses, product.outputs[0]);
    if (next < 0 || g.nodes[next].op != Op::kAdd) continue;
    const Node sum = g.nodes[next];
    const ValueId bias = sum.inputs[sum.inputs[0] == product.outputs[0] ? 1 : 0];
    const Shape& shape = g.value(bias).shape;
    if (reals(g, bias).empty() || shape.rank() != 1 || shape[0] != b[1]) continue;

    const Shape rows{kUnknownDim, a[a.rank() - 1]};
    const Shape made{kUnknownDim, b[1]};
    const ValueId flat = g.add_value(g.value(product.inputs[0]).name + "_rows", DType::kF32, rows);
    const ValueId sums = g.add_value(g.value(sum.outputs[0]).name + "_rows", DType::kF32, made);
    Node gemm{Op::kGemm, product.name, sum.attributes, {flat, product.inputs[1], bias}, {sums}};
    Node first{Op::kReshape,
               free_node_name(g, product.name + "_rows"),
               {},
               {product.inputs[0], add_target(g, product.name + "_rows_shape", rows)},
               {flat}};
    Node last{Op::kReshape,
              sum.name,
              {},
              {sums, add_target(g, product.name + "_shape", y)},
              {sum.outputs[0]}};
    g.nodes[i] = std::move(gemm);
    g.nodes[next] = std::move(last);
    g.nodes.insert(g.nodes.begin() + static_cast<std::ptrdiff_t>(i), std::move(first));
    return true;
  }
  return false;
}

}  // namespace

namespace method {

extern const Transform bias_matmul;
const Transform bias_matmul = {
    .on_by_default = true,
    .apply = [](Graph& graph) { return repeat(graph, rewrite_one); },
};

}  // namespace method
}  // namespace nibble::transform
