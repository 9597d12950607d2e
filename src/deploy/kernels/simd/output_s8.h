#pragma once

#include <cstdint>

namespace nibble::kernels {

/// A sum of codes behind a product: y' = clamp(rne(float(y - y_zero) m_y + float(r - r_zero) m_r) +
/// zero, lo, hi), each operation rounded to binary32 (docs/numerics.md, Add of variant float).
struct ResidualS8 {
  float m_y = 0, m_r = 0;
  int32_t r_zero = 0;
  int32_t zero = 0, lo = -128, hi = 127;
};

/// The output stage of integer products: int32 sums of a row to 8-bit codes (docs/numerics.md).
///   acc = (sum << sum_shift) + bias[n] - w_zero[n] row_sum   (mod 2^32; lowering proved that it
///                                                              fits)
///   y   = clamp(R(acc) + y_zero, y_min, y_max)
/// R is rne(float(acc) multiplier[n]) or, where `multiplier` is null, (acc m0[n] + 2^(shift[n]-1))
/// >> shift[n] in int64, shift 1..62. Under `binary` R is the sign of the product before it is
/// rounded, float(acc) multiplier[n] >= 0 or acc m0[n] >= 0: +1, else -1. Arrays are padded to
/// whole panels. Where the caller has a residual r for every y (variant float only), `residual`
/// says how it is added.
struct OutputS8 {
  const int32_t* bias = nullptr;
  const int32_t* w_zero = nullptr;
  bool same_zero = false;  // promise: all w_zero are equal (a faster way to the same codes)
  int32_t sum_shift = 0;   // 1: weights stored as u in {0, 1} stand for 2u - 1 (with w_zero 1)
  const float* multiplier = nullptr;
  const int32_t* m0 = nullptr;
  const int32_t* shift = nullptr;
  bool binary = false;  // results lie on the grid of -1 and +1
  int32_t y_zero = 0, y_min = -128, y_max = 127;
  ResidualS8 residual{};
};

/// Rows of one tile of 16 channels on their way to codes. An ISA's `output_tile` takes many at
/// once: its constants are in registers for all of them, and its code is there once.
struct TileRows {
  const int32_t* sums = nullptr;  // [rows][16], 64-byte aligned, rows `pitch` apart
  int64_t pitch = 16;
  const int32_t* row_sums = nullptr;  // null: zero points are taken off already
  int64_t rows = 0;
  int64_t channels = 16;             // of the tile that exist
  int8_t* out = nullptr;             // of its first channel, rows `stride` apart
  const int8_t* residual = nullptr;  // laid out as `out`; null: none
  int64_t stride = 0;
};

}  // namespace nibble::kernels
