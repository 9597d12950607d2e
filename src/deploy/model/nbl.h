#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "deploy/base/status.h"
#include "deploy/model/model.h"

namespace nibble::model {

/// The .nbl file (docs/formats/nbl.md): header, section table (64-bit offsets, checksums),
/// FlatBuffers graph, packed streams outside it, each 64-byte aligned. The same model gives the
/// same bytes on every machine.

/// Serialises. The tensors' `data` must hold exactly the bytes their shape or packed record asks
/// for.
std::vector<std::byte> write_nbl(const Model& model);

struct LoadOptions {
  bool verify_checksums = true;  // the runtime turns it off for a fast start
};

/// Memory-maps and checks a file: every offset, size, enum, shape, arity and index. Errors name
/// file, node and expectation.
Result<std::shared_ptr<const Model>> load_nbl(const std::string& path,
                                              const LoadOptions& options = {});

/// The same from memory; `bytes` must be 64-byte aligned and outlive nothing: the model keeps it.
Result<std::shared_ptr<const Model>> parse_nbl(std::shared_ptr<const std::vector<std::byte>> bytes,
                                               const std::string& name,
                                               const LoadOptions& options = {});

}  // namespace nibble::model
