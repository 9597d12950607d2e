#pragma once

#include <string>
#include <vector>

#include "quant/exporter/graph_builder.h"
#include "quant/graph/graph.h"

namespace nibble::exporter {

/// Writes one real-valued node as ONNX spells it in `opset` (13 or later); the names of inputs (""
/// for absent) and outputs are given. Fused bounds are the caller's. Throws Error(kModel) naming
/// the node for what ONNX cannot say: ops on integer codes, channels-last layouts, fills that are
/// computed.
void write_op(const graph::Graph& graph, const graph::Node& node,
              const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
              int opset, GraphBuilder& builder);

/// Whether write_op turns the constant input `index` into an attribute, and so reads no name for
/// it.
bool becomes_attribute(const graph::Node& node, size_t index, int opset);

}  // namespace nibble::exporter
