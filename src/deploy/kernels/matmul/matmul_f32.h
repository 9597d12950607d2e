#pragma once

#include <cstdint>

namespace nibble::kernels {

/// Output channels in one panel of packed binary32 weights.
inline constexpr int64_t kPanelF32 = 16;

/// One product  y[m][n] = clip(bias[n] + sum_k a[m][k] b[k][n]),  clip(v) = min(max(v, lo), hi).
///
/// The sum runs with k ascending and fused multiply-add from an accumulator that starts at the
/// bias, for every element alone: all cores, tilings and thread counts give the same bytes. A NaN
/// passes the clip; infinite bounds change nothing.
///
/// A product may be cut into blocks of k: without a bias the accumulators start at what Y holds.
///
/// A is implicit: row m is the concatenation, over the `segments` offsets, of `length` consecutive
/// elements at rows[m] + segment[s] (one segment for a plain matrix, a run of taps for a
/// convolution); k = segments * length. B lies in panels of 16 columns, [k][16], 64-byte aligned
/// and `panel_stride` elements apart, missing columns zero.
struct MatmulF32 {
  const float* b = nullptr;
  int64_t panel_stride = 0;
  const float* bias = nullptr;  // n values, padded to whole panels; null: continue from Y
  int64_t n = 0;
  const int64_t* segment = nullptr;
  int64_t segments = 0;
  int64_t length = 0;
  float lo = 0, hi = 0;

  int64_t k() const { return segments * length; }
  /// Whether B is more than a second-level cache keeps: cores of many rows then fetch ahead.
  bool far() const { return n * (panel_stride / kPanelF32) * 4 > 256 * 1024; }
};

/// Computes rows 0..m of the panels [panel_begin, panel_end): `out` is row 0, column 0 of Y, whose
/// rows lie `stride` elements apart. Nothing of Y outside these rows and its n columns is touched.
using MatmulF32Core = void(const MatmulF32& p, const float* const* rows, int64_t m, float* out,
                           int64_t stride, int64_t panel_begin, int64_t panel_end);

#define NIBBLE_MATMUL_F32(isa, space) \
  namespace space {                   \
  MatmulF32Core matmul_f32;           \
  }
#define NIBBLE_MATMUL_S8(isa, space)
#include "deploy/kernels/matmul/kernels.inc"
#undef NIBBLE_MATMUL_F32
#undef NIBBLE_MATMUL_S8

}  // namespace nibble::kernels
