#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "quant/graph/error.h"
#include "quant/graph/graph.h"

namespace nibble::importer {

/// What a model asks for that is not in the op list: every such op with the nodes that have it.
class UnknownOps : public Error {
 public:
  using Ops = std::vector<std::pair<std::string, std::vector<std::string>>>;
  UnknownOps(Ops ops, const std::string& file);

  Ops ops;
};

/// Reads an ONNX model, opset 7-26, external data (inside the model's folder), memory-mapped. Ops
/// are brought to one form: attributes that became inputs (axes, pads, starts, clip bounds ...) are
/// constant inputs, Constant nodes are constants, auto_pad stays for the shape functions, Dropout
/// is Identity, Upsample is Resize. Q/DQ pairs become QuantInfo on the value (phase kAnnotated)
/// when `fold_qdq`; else they stay ops. Errors: Error(kModel), one line, file and node named; all
/// unknown ops at once (UnknownOps).
/// Real types (float16, bfloat16, double) become binary32, in which everything is computed.
graph::Graph import_onnx(const std::string& path, bool fold_qdq = true);

/// The same for a model in memory, as if it had been read from `path`: messages name it, and
/// external data lies beside it.
graph::Graph import_onnx_bytes(std::span<const std::byte> bytes, const std::string& path,
                               bool fold_qdq = true);

}  // namespace nibble::importer
