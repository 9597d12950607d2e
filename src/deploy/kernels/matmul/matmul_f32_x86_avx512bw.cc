#include <immintrin.h>

#include "deploy/kernels/matmul/matmul_f32.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels::avx512bw {
namespace {

__mmask16 first_lanes(int64_t count) {
  return count >= 16 ? 0xffff : count > 0 ? (1u << count) - 1 : 0;
}

/// `kRows` rows by `kPanels` panels, all sums in registers. With `kAhead` the next panels are
/// fetched meanwhile, a line each k.
template <int kRows, int kPanels, bool kAhead>
void tile(const MatmulF32& p, const float* const* rows, int64_t valid, float* out, int64_t stride,
          int64_t panel) {
  const float* row[kRows];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) row[m] = rows[m < valid ? m : valid - 1];
  const float* b = p.b + panel * p.panel_stride;
  const int64_t n = panel * kPanelF32;
  const int64_t ahead = n + (2 * kPanels - 1) * kPanelF32 < p.n ? kPanels * p.panel_stride : 0;
  __m512 acc[kRows][kPanels];
  if (p.bias) {
    NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
      const __m512 start = _mm512_loadu_ps(p.bias + n + q * kPanelF32);
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) acc[m][q] = start;
    }
  } else {
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
      const float* sums = out + (m < valid ? m : valid - 1) * stride + n;
      NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) acc[m][q] =
          _mm512_maskz_loadu_ps(first_lanes(p.n - n - q * kPanelF32), sums + q * kPanelF32);
    }
    for (int64_t m = kRows; m < 2 * kRows && m < valid; ++m)
      for (int64_t q = 0; q < kPanels; ++q)
        __builtin_prefetch(out + m * stride + n + q * kPanelF32, 1);
  }
  for (int64_t s = 0; s < p.segments; ++s) {
    const float* a[kRows];
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] = row[m] + p.segment[s];
    for (int64_t k = 0; k < p.length; ++k, b += kPanelF32) {
      __m512 w[kPanels];
      NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
        w[q] = _mm512_load_ps(b + q * p.panel_stride);
        if constexpr (kAhead) __builtin_prefetch(b + q * p.panel_stride + ahead, 0, 2);
      }
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
        const __m512 x = _mm512_set1_ps(a[m][k]);
        NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) acc[m][q] =
            _mm512_fmadd_ps(x, w[q], acc[m][q]);
      }
    }
  }
  const __m512 lo = _mm512_set1_ps(p.lo), hi = _mm512_set1_ps(p.hi);
  NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
    const __mmask16 mask = first_lanes(p.n - n - q * kPanelF32);
    // max and min return their second operand where one is NaN: it passes the clip.
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
      const __m512 y = _mm512_min_ps(hi, _mm512_max_ps(lo, acc[m][q]));
      if (m < valid) _mm512_mask_storeu_ps(out + m * stride + n + q * kPanelF32, mask, y);
    }
  }
}

template <int kPanels, bool kAhead>
void panel_rows(const MatmulF32& p, const float* const* rows, int64_t m, float* out, int64_t stride,
                int64_t panel) {
  int64_t i = 0;
  for (; m - i > 8; i += 12)
    tile<12, kPanels, kAhead>(p, rows + i, m - i, out + i * stride, stride, panel);
  if (m - i > 4)
    tile<8, kPanels, kAhead>(p, rows + i, m - i, out + i * stride, stride, panel);
  else if (m - i > 2)
    tile<4, kPanels, kAhead>(p, rows + i, m - i, out + i * stride, stride, panel);
  else if (m - i > 0)
    tile<2, kPanels, kAhead>(p, rows + i, m - i, out + i * stride, stride, panel);
}

}  // namespace

void matmul_f32(const MatmulF32& p, const float* const* rows, int64_t m, float* out, int64_t stride,
                int64_t panel_begin, int64_t panel_end) {
  int64_t panel = panel_begin;
  // Few rows: more panels, to hide the latency of the sums.
  if (m == 1)
    for (; panel + 8 <= panel_end; panel += 8) tile<1, 8, false>(p, rows, m, out, stride, panel);
  if (m == 2)
    for (; panel + 8 <= panel_end; panel += 8) tile<2, 8, false>(p, rows, m, out, stride, panel);
  if (p.far())
    for (; panel + 2 <= panel_end; panel += 2) panel_rows<2, true>(p, rows, m, out, stride, panel);
  else
    for (; panel + 2 <= panel_end; panel += 2) panel_rows<2, false>(p, rows, m, out, stride, panel);
  if (panel < panel_end) panel_rows<1, false>(p, rows, m, out, stride, panel);
}

}  // namespace nibble::kernels::avx512bw
