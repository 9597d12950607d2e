#pragma once

#include <cstdint>

#include "deploy/kernels/simd/output_s8.h"

namespace nibble::kernels {

/// Sums of one row of a product whose activations have 16 bits, as two bytes each: 256 high + low.
/// `high` is null where they have 8.
struct RowOfSums {
  const int32_t* low = nullptr;
  const int32_t* high = nullptr;
  int32_t row_sum = 0;
};

/// The output stage of OutputS8 for n channels from `channel` on, without a residual, to codes of
/// 8 or 16 bits.
template <class Y>
void codes_of_sums(const RowOfSums& sums, const OutputS8& out, int64_t channel, int64_t n, Y* y);

/// The bytes of 16-bit codes, as 8-bit ones: q = 256 high + low + 128.
void split_bytes(const int16_t* q, int64_t n, int8_t* high, int8_t* low);
/// Those of one code.
constexpr int8_t high_byte(int32_t q) {
  return static_cast<int8_t>(q >> 8);
}
constexpr int8_t low_byte(int32_t q) {
  return static_cast<int8_t>((q & 255) - 128);
}

}  // namespace nibble::kernels
