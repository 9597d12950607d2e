#pragma once

#include <cstdint>

#include "deploy/kernels/simd/output_s8.h"

namespace nibble::kernels {

/// Output channels in one panel of packed integer weights (format/panel8.h).
inline constexpr int64_t kPanelS8 = 32;

/// One product of signed 8-bit rows and unsigned 8-bit weights,
///   sum[m][n] = sum_k u[n][k] a[m][k]   in int32,   y = OutputS8(sum, row_sum[m]).
/// Exact: no path saturates, so all cores, tilings and thread counts give the same bytes.
///
/// A is implicit, as in MatmulF32: `segments` runs of `length` bytes, a multiple of 4. B is one
/// group in panel8 order, whole panels of 32 channels, 64-byte aligned, k padded to `k_padded`
/// (nothing beyond k = segments * length is read).
struct MatmulS8 {
  const uint8_t* b = nullptr;
  int64_t n = 0;
  int64_t k_padded = 0;
  const int64_t* segment = nullptr;
  int64_t segments = 0;
  int64_t length = 0;
  OutputS8 output;

  int64_t k() const { return segments * length; }
};

/// Computes rows 0..m of the panels [panel_begin, panel_end): `out` is row 0, column 0 of Y, whose
/// rows lie `stride` bytes apart.
using MatmulS8Core = void(const MatmulS8& p, const int8_t* const* rows, const int32_t* row_sums,
                          int64_t m, int8_t* out, int64_t stride, int64_t panel_begin,
                          int64_t panel_end);

/// sums[i] = the sum of the k bytes from a + i * k on, modulo 2^32.
using SumsS8Core = void(const int8_t* a, int64_t rows, int64_t k, int32_t* sums);

#define NIBBLE_MATMUL_F32(isa, space)
#define NIBBLE_MATMUL_S8(isa, space) \
  namespace space {                  \
  MatmulS8Core matmul_s8;            \
  SumsS8Core sums_s8;                \
  }
#include "deploy/kernels/matmul/kernels.inc"
#undef NIBBLE_MATMUL_F32
#undef NIBBLE_MATMUL_S8

}  // namespace nibble::kernels
