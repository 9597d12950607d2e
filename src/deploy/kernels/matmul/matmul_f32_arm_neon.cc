#include "deploy/kernels/matmul/matmul_f32.h"
#include "deploy/kernels/simd/arm_neon_f32.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels::neon {
namespace {

template <int kIndex>
struct Lane {
  static constexpr int value = kIndex;
};

/// `kRows` rows by `kVectors` vectors of columns from column n on, all sums in registers.
template <int kRows, int kVectors>
void tile(const MatmulF32& p, const float* const* rows, int64_t valid, float* out, int64_t stride,
          int64_t n) {
  constexpr int kOfPanel = kPanelF32 / 4;
  const float* row[kRows];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) row[m] = rows[m < valid ? m : valid - 1];
  const float* b = p.b + n / kPanelF32 * p.panel_stride;
  if (p.k() > 0) b += n % kPanelF32;  // with no k there are no panels: their pointer may be null
  float32x4_t acc[kRows][kVectors];
  if (p.bias) {
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
      const float32x4_t start = vld1q_f32(p.bias + n + 4 * v);
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) acc[m][v] = start;
    }
  } else {
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
      const float* sums = out + (m < valid ? m : valid - 1) * stride + n;
      NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) acc[m][v] =
          load_some(sums + 4 * v, p.n - n - 4 * v);
    }
  }
  for (int64_t s = 0; s < p.segments; ++s) {
    const float* a[kRows];
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] = row[m] + p.segment[s];
    int64_t k = 0;
    for (; k + 4 <= p.length; k += 4) {
      float32x4_t x[kRows];
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) x[m] = vld1q_f32(a[m] + k);
      const auto step = [&](auto lane) __attribute__((always_inline)) {
        NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
          const float32x4_t w = vld1q_f32(b + v / kOfPanel * p.panel_stride + v % kOfPanel * 4);
          NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) acc[m][v] =
              vfmaq_laneq_f32(acc[m][v], w, x[m], decltype(lane)::value);
        }
        b += kPanelF32;
      };
      step(Lane<0>{}), step(Lane<1>{}), step(Lane<2>{}), step(Lane<3>{});
    }
    for (; k < p.length; ++k, b += kPanelF32) {
      NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
        const float32x4_t w = vld1q_f32(b + v / kOfPanel * p.panel_stride + v % kOfPanel * 4);
        NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) acc[m][v] =
            vfmaq_f32(acc[m][v], w, vld1q_dup_f32(a[m] + k));
      }
    }
  }
  const float32x4_t lo = vdupq_n_f32(p.lo), hi = vdupq_n_f32(p.hi);
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    if (m >= valid) continue;
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v)
        store_some(out + m * stride + n + 4 * v, clip(acc[m][v], lo, hi), p.n - n - 4 * v);
  }
}

/// The columns of one panel.
template <int kRows, int kVectors>
void columns(const MatmulF32& p, const float* const* rows, int64_t valid, float* out,
             int64_t stride, int64_t first) {
  const int64_t end = first + kPanelF32 < p.n ? first + kPanelF32 : p.n;
  for (int64_t n = first; n < end; n += 4 * kVectors)
    tile<kRows, kVectors>(p, rows, valid, out, stride, n);
}

}  // namespace

void matmul_f32(const MatmulF32& p, const float* const* rows, int64_t m, float* out, int64_t stride,
                int64_t panel_begin, int64_t panel_end) {
  int64_t n = panel_begin * kPanelF32;
  const int64_t end = panel_end * kPanelF32;
  // Few rows: two panels at a time, for as many sums in flight.
  if (m == 1)
    for (; n + 2 * kPanelF32 <= end; n += 2 * kPanelF32) tile<1, 8>(p, rows, m, out, stride, n);
  if (m == 2)
    for (; n + 2 * kPanelF32 <= end; n += 2 * kPanelF32) tile<2, 8>(p, rows, m, out, stride, n);
  for (; n < end; n += kPanelF32) {
    int64_t i = 0;
    for (; m - i > 4; i += 8) columns<8, 2>(p, rows + i, m - i, out + i * stride, stride, n);
    if (m - i > 2)
      columns<4, 4>(p, rows + i, m - i, out + i * stride, stride, n);
    else if (m - i == 2)
      columns<2, 4>(p, rows + i, m - i, out + i * stride, stride, n);
    else if (m - i == 1)
      columns<1, 4>(p, rows + i, m - i, out + i * stride, stride, n);
  }
}

}  // namespace nibble::kernels::neon
