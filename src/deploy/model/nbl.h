#pragma once

#include <memory>
#include <string>

#include "deploy/base/status.h"
#include "deploy/base/tensor.h"
#include "deploy/model/model.h"

namespace nibble::model {

/// The .nbl file (docs/formats/nbl.md): header, section table (64-bit offsets, checksums),
/// FlatBuffers graph, packed streams outside it, each 64-byte aligned. The same model gives the
/// same bytes on every machine.

/// Serialises. The tensors' `data` must hold exactly the bytes their shape or packed record asks
/// for (stored_bytes). What the reader would refuse is written all the same: read it back.
Buffer write_nbl(const Model& model);

struct LoadOptions {
  bool verify_checksums = true;  // the runtime turns it off for a fast start
};

/// Memory-maps and checks a file: every offset, size, enum, shape, arity and index (check.h).
/// Errors are one line that names file, node or tensor, and expectation: kIo, kCorrupt, or
/// kUnsupported for a version, format or byte order this build does not read.
Result<std::shared_ptr<const Model>> load_nbl(const std::string& path,
                                              const LoadOptions& options = {});

/// The same from memory; the model keeps `bytes`. `name` stands for the file in messages.
Result<std::shared_ptr<const Model>> parse_nbl(std::shared_ptr<const Buffer> bytes,
                                               const std::string& name,
                                               const LoadOptions& options = {});

}  // namespace nibble::model
