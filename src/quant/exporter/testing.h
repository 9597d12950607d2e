#pragma once

#include <span>
#include <string>

#include "quant/importer/importer.h"

namespace nibble::exporter::testing {

/// The graph that the importer reads from the bytes of a model (tests only).
inline graph::Graph reimport(const std::string& bytes, bool fold_qdq = true) {
  return importer::import_onnx_bytes(std::as_bytes(std::span(bytes)), "export.onnx", fold_qdq);
}

}  // namespace nibble::exporter::testing
