#include "quant/exporter/opset.h"

#include <algorithm>

#include "quant/exporter/storage.h"
#include "quant/graph/error.h"

namespace nibble::exporter {
namespace {

using graph::Attr;
using graph::Graph;
using graph::Node;
using graph::Op;

bool is_narrow_integer(DType dtype) {
  return dtype == DType::kI8 || dtype == DType::kU8 || dtype == DType::kI16 || dtype == DType::kU16;
}

/// Arithmetic took narrow integers in opset 14.
bool computes_narrow_integers(const Graph& graph, const Node& node) {
  return node.inputs[0] != graph::kNoValue && is_narrow_integer(graph.value(node.inputs[0]).dtype);
}

bool reduces_axes_that_are_computed(const Graph& graph, const Node& node) {
  const bool has_axes = node.inputs.size() > 1 && node.inputs[1] != graph::kNoValue;
  return (has_axes && !graph.is_constant(node.inputs[1])) ||
         node.attributes.get_int(Attr::noop_with_empty_axes, 0) != 0;
}

/// Without an explicit list of lengths, Split cut evenly until opset 18.
bool splits_unevenly(const Graph& graph, const Node& node) {
  if (node.inputs.size() > 1 && node.inputs[1] != graph::kNoValue) return false;
  const Shape& shape = graph.value(node.inputs[0]).shape;
  const int axis = normalize_axis(node.attributes.get_int(Attr::axis, 0), shape.rank());
  return shape[axis] == kUnknownDim || shape[axis] % static_cast<int64_t>(node.outputs.size()) != 0;
}

/// Whether `node` says something that opset 13 cannot (newer op, attribute, input or type).
bool is_newer_than_13(const Graph& graph, const Node& node) {
  const model::Attributes& attributes = node.attributes;
  switch (node.op) {
    case Op::kLayerNormalization:
    case Op::kGelu:
    case Op::kHardSwish:
      return true;
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kDiv:
    case Op::kRelu:
      return computes_narrow_integers(graph, node);
    case Op::kReduceMean:
    case Op::kReduceMax:
    case Op::kReduceMin:
    case Op::kReduceProd:
      return reduces_axes_that_are_computed(graph, node);
    case Op::kSplit:
      return splits_unevenly(graph, node);
    case Op::kPad:
      return node.inputs.size() > 3 ||
             attributes.get_string(Attr::mode, "constant") == std::string_view("wrap");
    case Op::kReshape:
      return attributes.get_int(Attr::allowzero, 0) != 0;
    case Op::kShape:
      return attributes.has(Attr::start) || attributes.has(Attr::end);
    case Op::kAveragePool:
      return attributes.has(Attr::dilations);
    case Op::kResize:
      return attributes.has(Attr::axes) || attributes.has(Attr::antialias) ||
             attributes.has(Attr::keep_aspect_ratio_policy) ||
             attributes.get_string(Attr::coordinate_transformation_mode, "") ==
                 std::string_view("half_pixel_symmetric");
    case Op::kQuantizeLinear:
    case Op::kDequantizeLinear: {
      const graph::ValueId codes =
          node.op == Op::kQuantizeLinear ? node.outputs[0] : node.inputs[0];
      const DType dtype = graph.value(codes).dtype;
      const bool states_type = node.op == Op::kQuantizeLinear && node.inputs.size() < 3;
      return attributes.has(Attr::block_size) || dtype == DType::kI16 || dtype == DType::kU16 ||
             (states_type && dtype != DType::kU8);
    }
    default:
      return false;
  }
}

}  // namespace

int choose_opset(const Graph& graph, int max_opset) {
  int needed = 13;
  std::string who;
  const auto need = [&](int opset, const std::string& name) {
    if (opset <= needed) return;
    needed = opset;
    who = name;
  };
  for (const Node& node : graph.nodes)
    if (is_newer_than_13(graph, node)) need(21, node.name);
  for (const graph::Value& value : graph.values) {
    if (!value.quant) continue;
    if (!value.constant && is_written_as_signs(value.quant->params)) continue;
    if (value.quant->params.granularity == numeric::Granularity::kBlock) need(21, value.name);
    const auto storage = storage_of(value.quant->params, max_opset);
    need(storage ? opset_of(storage->type) : 21, value.name);  // 21: 16 bits
  }
  if (std::max(needed, 13) > max_opset)
    throw Error(ErrorKind::kUsage,
                "needs opset " + std::to_string(needed) + ", but at most opset " +
                    std::to_string(max_opset) + " is wanted",
                graph.source, who);
  return needed;
}

}  // namespace nibble::exporter
