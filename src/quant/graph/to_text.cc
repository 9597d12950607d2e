#include <string>

#include "deploy/numeric/grid.h"
#include "quant/graph/graph.h"

namespace nibble::graph {
namespace {

std::string codes_text(const QuantParams& q) {
  if (q.grid != numeric::GridId::kAffine) return std::string(numeric::grid_of(q.grid).name);
  return (numeric::is_symmetric(q.range) ? "s" : "u") + std::to_string(q.bits);
}

std::string grid_text(const QuantParams& q) {
  std::string text = codes_text(q);
  switch (q.granularity) {
    case numeric::Granularity::kTensor:
      break;
    case numeric::Granularity::kChannel:
      text += " per channel";
      break;
    case numeric::Granularity::kGroup:
      text += " per group of " + std::to_string(q.group);
      break;
    case numeric::Granularity::kBlock:
      text += " blocks of " + std::to_string(q.group);
      break;
  }
  return text;
}

std::string operand_text(const Value& value) {
  std::string text = to_string(value.shape);
  if (value.dtype != DType::kF32) text += " " + std::string(name_of(value.dtype));
  if (value.quant) text += " [" + grid_text(value.quant->params) + "]";
  return text;
}

}  // namespace

std::string to_text(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes) {
    text += node.name + ": " + std::string(model::name_of(node.op));
    std::string constants;
    for (ValueId id : node.inputs) {
      if (id == kNoValue) continue;
      const Value& value = graph.value(id);
      if (value.constant) {
        constants += (constants.empty() ? "" : ", ") + operand_text(value);
      } else {
        text += " " + operand_text(value);
      }
    }
    text += " ->";
    for (ValueId id : node.outputs)
      if (id != kNoValue) text += " " + operand_text(graph.value(id));
    if (!constants.empty()) text += " (constants " + constants + ")";
    text += '\n';
  }
  return text;
}

}  // namespace nibble::graph
