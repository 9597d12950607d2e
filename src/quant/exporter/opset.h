#pragma once

#include "quant/graph/graph.h"

namespace nibble::exporter {

/// The lowest of opset 13, 21 and, where `max_opset` allows it, 25 in which every node and grid of
/// `graph` can be written. Throws Error(kUsage) for max_opset < 13 and when `max_opset` is too old
/// for the graph, naming a node or value that needs more.
int choose_opset(const graph::Graph& graph, int max_opset);

}  // namespace nibble::exporter
