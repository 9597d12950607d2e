#pragma once

#include <string>
#include <vector>

#include "nibble_onnx/onnx.pb.h"
#include "quant/graph/graph.h"

namespace nibble::exporter {

/// Writes `graph` into model.graph, with Q/DQ pairs for the grids of its values. `notes` gets a
/// line for each grid that ONNX stores wider and each bias that stays real.
void write_graph(const graph::Graph& graph, int opset, onnx::ModelProto& model,
                 std::vector<std::string>& notes);

}  // namespace nibble::exporter
