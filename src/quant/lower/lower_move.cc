#include "deploy/numeric/grid.h"
#include "quant/lower/form.h"
#include "quant/lower/integer_graph.h"

namespace nibble::lower {
namespace {

using graph::Attr;
using graph::kNoValue;
using graph::Node;
using graph::Op;

/// The value that a Pad inserts, as a code.
graph::ValueId padding_code(IntegerGraph& out, const Node& node, const Stored& grid) {
  const bool given = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  const float value = given ? *scalar_of(out.source(), node.inputs[2]) : 0.0f;
  const int32_t code = numeric::quantize_one(value, grid.params);
  return out.constant(node.name + "_value", pack_codes({code}, grid.dtype, {}));
}

}  // namespace

void lower_move(IntegerGraph& out, const Node& node) {
  Node q = node;
  q.inputs[0] = out.codes(node.inputs[0]);
  for (size_t i = 1; i < node.inputs.size(); ++i) q.inputs[i] = out.plain(node.inputs[i]);
  if (node.op == Op::kPad) {
    if (q.inputs.size() < 3) q.inputs.resize(3, kNoValue);
    q.inputs[2] = padding_code(out, node, stored(*tensor_grid(out.source(), node.inputs[0])));
  }
  if (node.op == Op::kAveragePool) out.set_zero_points(q, node.inputs[0], kNoValue);
  for (graph::ValueId& id : q.outputs)
    if (id != kNoValue) id = out.make_codes(id);
  out.emit(std::move(q));
}

void lower_concat(IntegerGraph& out, const Node& node) {
  Node q = node;
  for (graph::ValueId& id : q.inputs) id = out.codes(id);
  q.outputs[0] = out.make_codes(node.outputs[0]);
  out.emit(std::move(q));
}

}  // namespace nibble::lower
