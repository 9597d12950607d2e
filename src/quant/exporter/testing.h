#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "quant/importer/importer.h"

namespace nibble::exporter::testing {

/// The graph that the importer reads from the bytes of a model (tests only).
inline graph::Graph reimport(const std::string& bytes, bool fold_qdq = true) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("nibble_export_" + std::to_string(::getpid()) + ".onnx");
  std::ofstream(path, std::ios::binary) << bytes;
  struct Remove {
    std::filesystem::path path;
    ~Remove() { std::filesystem::remove(path); }
  } remove{path};
  return importer::import_onnx(path.string(), fold_qdq);
}

}  // namespace nibble::exporter::testing
