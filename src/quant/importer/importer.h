#pragma once

#include <string>

#include "quant/graph/graph.h"

namespace nibble::importer {

/// Reads an ONNX model, opset 7-26, external data (inside the model's folder), memory-mapped. Ops
/// are brought to one form: attributes that became inputs (axes, pads, starts, clip bounds ...) are
/// constant inputs, Constant nodes are constants, auto_pad stays for the shape functions, Dropout
/// is Identity, Upsample is Resize. Q/DQ pairs become QuantInfo on the value (phase kAnnotated)
/// when `fold_qdq`; else they stay ops. Errors: Error(kModel), one line, file and node named; all
/// unknown ops at once.
graph::Graph import_onnx(const std::string& path, bool fold_qdq = true);

}  // namespace nibble::importer
