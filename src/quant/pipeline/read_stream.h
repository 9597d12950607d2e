#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "deploy/base/cpu.h"

namespace nibble::pipeline {

/// Reads `bytes` (a multiple of 512) at `data` (64-byte aligned) once, forward, in the widest
/// vectors of the ISA, and returns the exclusive or of their 64-bit words. What it takes is the
/// memory's time alone.
struct ReadStream {
  Isa isa;
  uint64_t (*read)(const std::byte* data, size_t bytes);
};

/// Worst first, the portable one leading.
std::span<const ReadStream> read_streams();

}  // namespace nibble::pipeline
