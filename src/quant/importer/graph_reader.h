#pragma once

#include "nibble_onnx/onnx.pb.h"
#include "quant/importer/context.h"

namespace nibble::importer {

/// Fills context.graph with values and nodes in their one form; shapes of activations are not known
/// yet. Takes the initialisers' bytes out of `proto` as it goes, to hold large weights only once.
/// Throws Error(kModel): unknown ops (all at once), names that are missing or made twice, types and
/// ranks that are not supported.
void read_graph(onnx::GraphProto& proto, Context& context);

}  // namespace nibble::importer
