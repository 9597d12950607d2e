#include "quant/lower/explicit_grids.h"
#include "quant/lower/form.h"
#include "quant/lower/fuse_residuals.h"
#include "quant/lower/integer_graph.h"
#include "quant/lower/lower.h"

namespace nibble::lower {
namespace {

using graph::Node;
using graph::ValueId;

/// A node that computes with what the source declares: an island, or integers and booleans.
void keep(IntegerGraph& out, const Node& node) {
  Node copy = node;
  for (ValueId& id : copy.inputs) id = out.plain(id);
  for (ValueId& id : copy.outputs)
    if (id != graph::kNoValue) id = out.make_plain(id);
  out.emit(std::move(copy));
}

/// Shape and Size read dimensions, of codes as well as of reals.
void keep_bookkeeping(IntegerGraph& out, const Node& node) {
  const bool dims = node.op == graph::Op::kShape || node.op == graph::Op::kSize;
  const ValueId x = dims ? node.inputs[0] : graph::kNoValue;
  if (!dims || !out.source().value(x).quant || out.source().is_constant(x)) return keep(out, node);
  Node copy = node;
  copy.inputs[0] = out.codes(x);
  copy.outputs[0] = out.make_plain(node.outputs[0]);
  out.emit(std::move(copy));
}

}  // namespace

Lowered lower_to_integer(const graph::Graph& annotated) {
  const graph::Graph source = explicit_grids(annotated);
  IntegerGraph out(source);
  Lowered lowered;
  for (const Node& node : source.nodes) {
    const Verdict verdict = verdict_of(source, node);
    switch (verdict.form) {
      case Form::kWeighted:
        lower_weighted(out, node);
        break;
      case Form::kElementwise:
        lower_elementwise(out, node);
        break;
      case Form::kMatMul:
        lower_matmul(out, node);
        break;
      case Form::kRequantize:
      case Form::kClamp:
        lower_requantize(out, node);
        break;
      case Form::kConcat:
        lower_concat(out, node);
        break;
      case Form::kMove:
      case Form::kAverage:
        lower_move(out, node);
        break;
      case Form::kGlobalMean:
        lower_global_mean(out, node);
        break;
      case Form::kRows:
        keep(out, node);
        break;
      case Form::kRealProduct:
        lower_real_product(out, node);
        break;
      case Form::kBookkeeping:
        keep_bookkeeping(out, node);
        break;
      case Form::kDynamic:  // explicit_grids leaves none
      case Form::kFloat:
        keep(out, node);
        lowered.islands.push_back({node.name, node.op, verdict.why});
        break;
    }
  }
  lowered.graph = out.finish();
  lowered.graph.infer_shapes();
  fuse_residuals(lowered.graph);
  graph::verify(lowered.graph, graph::Phase::kInteger);
  return lowered;
}

}  // namespace nibble::lower
