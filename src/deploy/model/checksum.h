#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nibble::model {

/// XXH64 (Collet, xxHash specification 0.1.1): 64-bit non-cryptographic checksum, about 10 GB/s.
/// The same value on every machine.
uint64_t checksum(std::span<const std::byte> bytes, uint64_t seed = 0);

}  // namespace nibble::model
