#include <algorithm>

#include "deploy/numeric/scale_index.h"
#include "quant/lower/integer_graph.h"

namespace nibble::lower {
namespace {

using graph::Attr;
using graph::Node;
using graph::ValueId;

constexpr int64_t kPanel = 32, kStep = 64;  // of packed weights (docs/formats/packed.md)

/// A value a block and channel in the order of the panels: [N / 32][blocks][32], zeros behind N and
/// K. `value`: of the scale with a given index in the grid.
template <class T, class Value>
Tensor by_panel(const numeric::QuantParams& grid, const Shape& shape, int64_t block, DType dtype,
                Value value) {
  const int64_t n = shape[0], k = shape[1];
  const int64_t blocks = ((k + kStep - 1) / kStep * kStep + block - 1) / block;
  Tensor out(dtype, {(n + kPanel - 1) / kPanel, blocks, kPanel});
  const auto to = out.span<T>();
  std::fill(to.begin(), to.end(), T{});
  const numeric::ScaleIndex index(grid, shape);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t b = 0; b * block < k; ++b)
      to[(i / kPanel * blocks + b) * kPanel + i % kPanel] =
          static_cast<T>(value(index[i * k + b * block]));
  return out;
}

}  // namespace

void lower_real_product(IntegerGraph& out, const Node& node) {
  const graph::Graph& g = out.source();
  const graph::Value& w = g.value(node.inputs[1]);
  const numeric::QuantParams& grid = w.quant->params;
  const int64_t block = node.attributes.get_int(Attr::block_size, 0);
  const ValueId weights = out.constant(
      w.name,
      pack_codes(codes_of(g, node.inputs[1]), grid.is_signed() ? DType::kI8 : DType::kU8, w.shape));
  out.value(weights).quant = w.quant;
  Node q = node;
  q.inputs = {out.plain(node.inputs[0]), weights, out.plain(node.inputs[2])};
  q.inputs.push_back(
      out.constant(w.name + "_scale", by_panel<float>(grid, w.shape, block, DType::kF32,
                                                      [&](size_t i) { return grid.scales[i]; })));
  const bool has_zeros = std::any_of(grid.zero_points.begin(), grid.zero_points.end(),
                                     [](int32_t z) { return z != 0; });
  q.inputs.push_back(
      has_zeros ? out.constant(w.name + "_zero_point",
                               by_panel<uint8_t>(grid, w.shape, block, DType::kU8,
                                                 [&](size_t i) { return grid.zero_point(i); }))
                : graph::kNoValue);
  q.inputs.push_back(node.inputs.size() > 5 ? out.plain(node.inputs[5]) : graph::kNoValue);
  q.outputs = {out.make_plain(node.outputs[0])};
  out.emit(std::move(q));
}

}  // namespace nibble::lower
