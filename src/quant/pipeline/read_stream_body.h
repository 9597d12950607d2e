#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "deploy/kernels/simd/unroll.h"

namespace nibble::pipeline {
namespace {

/// Eight vectors at a time into four sums: more loads in flight than a core can issue.
template <class Vector>
uint64_t read_vectors(const std::byte* data, size_t bytes) {
  Vector sums[4] = {};
  for (size_t at = 0; at < bytes; at += 8 * sizeof(Vector)) {
    NIBBLE_UNROLL
    for (size_t i = 0; i < 8; ++i) {
      Vector v;
      std::memcpy(&v, data + at + i * sizeof v, sizeof v);
      sums[i % 4] ^= v;
    }
  }
  const Vector all = sums[0] ^ sums[1] ^ sums[2] ^ sums[3];
  uint64_t word = 0;
  for (size_t i = 0; i < sizeof all / sizeof word; ++i) word ^= all[i];
  return word;
}

}  // namespace
}  // namespace nibble::pipeline
