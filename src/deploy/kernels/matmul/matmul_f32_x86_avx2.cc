#include <immintrin.h>

#include "deploy/kernels/matmul/matmul_f32.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels::avx2 {
namespace {

__m256i first_lanes(int64_t count) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lanes);
}

__m256 load(const float* y, int64_t left) {
  if (left >= 8) return _mm256_loadu_ps(y);
  return left > 0 ? _mm256_maskload_ps(y, first_lanes(left)) : _mm256_setzero_ps();
}

void store(float* y, __m256 v, int64_t left) {
  if (left >= 8)
    _mm256_storeu_ps(y, v);
  else if (left > 0)
    _mm256_maskstore_ps(y, first_lanes(left), v);
}

/// `kRows` rows by `kPanels` panels, all sums in registers. With `kAhead` the next panel is fetched
/// meanwhile, a line each k.
template <int kRows, int kPanels, bool kAhead>
void tile(const MatmulF32& p, const float* const* rows, int64_t valid, float* out, int64_t stride,
          int64_t panel) {
  const float* row[kRows];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) row[m] = rows[m < valid ? m : valid - 1];
  const float* b = p.b + panel * p.panel_stride;
  const int64_t n = panel * kPanelF32;
  const int64_t ahead = n + kPanelF32 < p.n ? p.panel_stride : 0;
  __m256 acc[kRows][2 * kPanels];
  if (p.bias) {
    NIBBLE_UNROLL for (int v = 0; v < 2 * kPanels; ++v) {
      const __m256 start = _mm256_loadu_ps(p.bias + n + 8 * v);
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) acc[m][v] = start;
    }
  } else {
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
      const float* sums = out + (m < valid ? m : valid - 1) * stride + n;
      NIBBLE_UNROLL for (int v = 0; v < 2 * kPanels; ++v) acc[m][v] =
          load(sums + 8 * v, p.n - n - 8 * v);
    }
    for (int64_t m = kRows; m < 2 * kRows && m < valid; ++m)
      __builtin_prefetch(out + m * stride + n, 1);
  }
  for (int64_t s = 0; s < p.segments; ++s) {
    const float* a[kRows];
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] = row[m] + p.segment[s];
    for (int64_t k = 0; k < p.length; ++k, b += kPanelF32) {
      if constexpr (kAhead) __builtin_prefetch(b + ahead, 0, 2);
      __m256 w[2 * kPanels];
      NIBBLE_UNROLL for (int v = 0; v < 2 * kPanels; ++v) w[v] =
          _mm256_load_ps(b + v / 2 * p.panel_stride + v % 2 * 8);
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
        const __m256 x = _mm256_broadcast_ss(a[m] + k);
        NIBBLE_UNROLL for (int v = 0; v < 2 * kPanels; ++v) acc[m][v] =
            _mm256_fmadd_ps(x, w[v], acc[m][v]);
      }
    }
  }
  const __m256 lo = _mm256_set1_ps(p.lo), hi = _mm256_set1_ps(p.hi);
  // max and min return their second operand where one is NaN: it passes the clip.
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    if (m >= valid) continue;
    NIBBLE_UNROLL for (int v = 0; v < 2 * kPanels; ++v)
        store(out + m * stride + n + 8 * v, _mm256_min_ps(hi, _mm256_max_ps(lo, acc[m][v])),
              p.n - n - 8 * v);
  }
}

template <bool kAhead>
void panel_rows(const MatmulF32& p, const float* const* rows, int64_t m, float* out, int64_t stride,
                int64_t panel) {
  int64_t i = 0;
  for (; m - i > 4; i += 6) tile<6, 1, kAhead>(p, rows + i, m - i, out + i * stride, stride, panel);
  if (m - i == 4)
    tile<4, 1, kAhead>(p, rows + i, m - i, out + i * stride, stride, panel);
  else if (m - i > 1)
    tile<3, 1, kAhead>(p, rows + i, m - i, out + i * stride, stride, panel);
  else if (m - i == 1)
    tile<1, 1, kAhead>(p, rows + i, m - i, out + i * stride, stride, panel);
}

}  // namespace

void matmul_f32(const MatmulF32& p, const float* const* rows, int64_t m, float* out, int64_t stride,
                int64_t panel_begin, int64_t panel_end) {
  int64_t panel = panel_begin;
  // Few rows: more panels, to hide the latency of the sums.
  if (m == 1)
    for (; panel + 4 <= panel_end; panel += 4) tile<1, 4, false>(p, rows, m, out, stride, panel);
  if (m == 2)
    for (; panel + 2 <= panel_end; panel += 2) tile<2, 2, false>(p, rows, m, out, stride, panel);
  if (p.far())
    for (; panel < panel_end; ++panel) panel_rows<true>(p, rows, m, out, stride, panel);
  else
    for (; panel < panel_end; ++panel) panel_rows<false>(p, rows, m, out, stride, panel);
}

}  // namespace nibble::kernels::avx2
