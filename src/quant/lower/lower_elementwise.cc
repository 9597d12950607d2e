#include "deploy/numeric/requantise.h"
#include "quant/lower/form.h"
#include "quant/lower/integer_graph.h"

namespace nibble::lower {
namespace {

using graph::Attr;
using graph::Node;
using graph::Op;

double scale_of(const IntegerGraph& out, graph::ValueId id) {
  return tensor_grid(out.source(), id)->scales[0];
}

void lower_two(IntegerGraph& out, const Node& node, Op op) {
  Node q{op, node.name, node.attributes, {}, {}};
  q.inputs = {out.codes(node.inputs[0]), out.codes(node.inputs[1])};
  out.set_zero_points(q, node.inputs[0], node.inputs[1]);
  const double a = scale_of(out, node.inputs[0]), b = scale_of(out, node.inputs[1]);
  const double y = scale_of(out, node.outputs[0]);
  if (op == Op::kQAdd) {
    const double m_a = a / y, m_b = b / y;
    check_multiplier(out.source(), node, m_a);
    check_multiplier(out.source(), node, m_b);
    if (out.source().requantise == graph::RequantiseVariant::kFloat) {
      q.attributes.set(Attr::multiplier,
                       std::vector<float>{static_cast<float>(m_a), static_cast<float>(m_b)});
    } else {
      const numeric::FixedSum sum = numeric::to_fixed_sum(m_a, m_b);
      q.attributes.set(Attr::fixed_multiplier, std::vector<int64_t>{sum.a, sum.b});
      q.attributes.set(Attr::fixed_exponent, std::vector<int64_t>{31 - sum.shift});
    }
  } else {
    set_multiplier(out.source(), q, a * b / y);
  }
  out.set_output(q, node.outputs[0]);
  q.outputs = {out.make_codes(node.outputs[0])};
  out.emit(std::move(q));
}

}  // namespace

void lower_elementwise(IntegerGraph& out, const Node& node) {
  lower_two(out, node, node.op == Op::kAdd ? Op::kQAdd : Op::kQMul);
}

void lower_matmul(IntegerGraph& out, const Node& node) {
  lower_two(out, node, Op::kQMatMul);
}

void lower_global_mean(IntegerGraph& out, const Node& node) {
  const graph::ValueId x = node.inputs[0], y = node.outputs[0];
  Node q{node.op, node.name, node.attributes, {out.codes(x)}, {}};
  out.set_zero_points(q, x, graph::kNoValue);
  const double positions = static_cast<double>(positions_of(out.source(), node));
  set_multiplier(out.source(), q, scale_of(out, x) / (positions * scale_of(out, y)));
  out.set_output(q, y);
  q.outputs = {out.make_codes(y)};
  out.emit(std::move(q));
}

void lower_requantize(IntegerGraph& out, const Node& node) {
  const graph::ValueId x = node.inputs[0], y = node.outputs[0];
  if (!out.source().value(x).quant) return out.quantize(node.name, out.plain(x), y);
  Node q{Op::kRequantize, node.name, node.attributes, {out.codes(x)}, {}};
  out.set_zero_points(q, x, graph::kNoValue);
  set_multiplier(out.source(), q, scale_of(out, x) / scale_of(out, y));
  out.set_output(q, y);
  q.outputs = {out.make_codes(y)};
  out.emit(std::move(q));
}

}  // namespace nibble::lower
