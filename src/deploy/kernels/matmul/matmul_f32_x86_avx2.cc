#include <immintrin.h>

#include "deploy/kernels/matmul/matmul_f32.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels::avx2 {
namespace {

void store(float* out, __m256 y, int64_t left) {
  if (left >= 8) {
    _mm256_storeu_ps(out, y);
  } else if (left > 0) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(left)), lanes);
    _mm256_maskstore_ps(out, mask, y);
  }
}

/// `kRows` rows by 16 columns (half a panel) from column n on, all sums in registers.
template <int kRows>
void tile(const MatmulF32& p, const float* const* rows, int64_t valid, float* out, int64_t stride,
          int64_t n) {
  const float* row[kRows];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) row[m] = rows[m < valid ? m : valid - 1];
  // With no k there are no panels either: their pointer may be null.
  const float* b = p.k() > 0 ? p.b + n / kPanelF32 * p.k() * kPanelF32 + n % kPanelF32 : nullptr;
  __m256 acc[kRows][2];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    acc[m][0] = _mm256_loadu_ps(p.bias + n);
    acc[m][1] = _mm256_loadu_ps(p.bias + n + 8);
  }
  for (int64_t s = 0; s < p.segments; ++s) {
    const float* a[kRows];
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] = row[m] + p.segment[s];
    for (int64_t k = 0; k < p.length; ++k, b += kPanelF32) {
      const __m256 w0 = _mm256_load_ps(b), w1 = _mm256_load_ps(b + 8);
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
        const __m256 x = _mm256_broadcast_ss(a[m] + k);
        acc[m][0] = _mm256_fmadd_ps(x, w0, acc[m][0]);
        acc[m][1] = _mm256_fmadd_ps(x, w1, acc[m][1]);
      }
    }
  }
  const __m256 lo = _mm256_set1_ps(p.lo), hi = _mm256_set1_ps(p.hi);
  // max and min return their second operand where one is NaN: it passes the clip.
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    if (m >= valid) continue;
    store(out + m * stride + n, _mm256_min_ps(hi, _mm256_max_ps(lo, acc[m][0])), p.n - n);
    store(out + m * stride + n + 8, _mm256_min_ps(hi, _mm256_max_ps(lo, acc[m][1])), p.n - n - 8);
  }
}

}  // namespace

void matmul_f32(const MatmulF32& p, const float* const* rows, int64_t m, float* out, int64_t stride,
                int64_t panel_begin, int64_t panel_end) {
  const int64_t n_end = panel_end * kPanelF32 < p.n ? panel_end * kPanelF32 : p.n;
  for (int64_t n = panel_begin * kPanelF32; n < n_end; n += 16) {
    int64_t i = 0;
    for (; m - i > 3; i += 6) tile<6>(p, rows + i, m - i, out + i * stride, stride, n);
    if (m - i > 1)
      tile<3>(p, rows + i, m - i, out + i * stride, stride, n);
    else if (m - i == 1)
      tile<1>(p, rows + i, m - i, out + i * stride, stride, n);
  }
}

}  // namespace nibble::kernels::avx2
