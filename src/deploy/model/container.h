#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "deploy/base/status.h"
#include "deploy/base/tensor.h"

namespace nibble::model {

/// The outer layer of a .nbl file (docs/formats/nbl.md): a header of 64 bytes, the section table,
/// the sections. Section 0 is the graph, the others are constants. Each starts at the next multiple
/// of 64 after the end of the one before; gaps are zero; the file's size is a multiple of 64.
struct Section {
  std::span<const std::byte> bytes;
  uint64_t checksum = 0;
};

/// Lays the sections out.
Buffer write_container(std::span<const std::span<const std::byte>> sections);

/// Checks magic, version, byte order, file size, the table's own checksum, and the place of every
/// section. With `verify`, also that the gaps are zero. The sections' checksums are left to the
/// caller, who knows what they hold. `file` must be 64-byte aligned.
Result<std::vector<Section>> read_container(std::span<const std::byte> file, bool verify);

}  // namespace nibble::model
