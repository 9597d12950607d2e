#pragma once

#include <cstdint>

namespace nibble::kernels {

/// The output stage of integer products: int32 sums of a row to 8-bit codes (docs/numerics.md).
///   acc = sum + bias[n] - w_zero[n] row_sum           (mod 2^32; lowering proved that it fits)
///   y   = clamp(R(acc) + y_zero, y_min, y_max)
/// R is rne(float(acc) multiplier[n]) or, where `multiplier` is null, (acc m0[n] + 2^(shift[n]-1))
/// >> shift[n] in int64, shift 1..62. Arrays are padded to whole panels.
struct OutputS8 {
  const int32_t* bias = nullptr;
  const int32_t* w_zero = nullptr;
  bool same_zero = false;  // promise: all w_zero are equal (a faster way to the same codes)
  const float* multiplier = nullptr;
  const int32_t* m0 = nullptr;
  const int32_t* shift = nullptr;
  int32_t y_zero = 0, y_min = -128, y_max = 127;
};

}  // namespace nibble::kernels
