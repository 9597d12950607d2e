#include <immintrin.h>

#include "deploy/kernels/matmul/matmul_f32.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels::avx512bw {
namespace {

/// `kRows` rows by `kPanels` panels of `kVectors` x 16 columns, all sums in registers.
template <int kRows, int kPanels, int kVectors>
void tile(const MatmulF32& p, const float* const* rows, int64_t valid, float* out, int64_t stride,
          int64_t panel) {
  const float* row[kRows];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) row[m] = rows[m < valid ? m : valid - 1];
  const int64_t panel_size = p.k() * kPanelF32;
  const float* b = p.b + panel * panel_size;
  const float* bias = p.bias + panel * kPanelF32;
  __m512 acc[kRows][kPanels][kVectors];
  NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
      const __m512 start = _mm512_loadu_ps(bias + q * kPanelF32 + v * 16);
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) acc[m][q][v] = start;
    }
  }
  for (int64_t s = 0; s < p.segments; ++s) {
    const float* a[kRows];
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] = row[m] + p.segment[s];
    for (int64_t k = 0; k < p.length; ++k, b += kPanelF32) {
      __m512 w[kPanels][kVectors];
      NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
        NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) w[q][v] =
            _mm512_load_ps(b + q * panel_size + v * 16);
      }
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
        const __m512 x = _mm512_set1_ps(a[m][k]);
        NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
          NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) acc[m][q][v] =
              _mm512_fmadd_ps(x, w[q][v], acc[m][q][v]);
        }
      }
    }
  }
  const __m512 lo = _mm512_set1_ps(p.lo), hi = _mm512_set1_ps(p.hi);
  NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
      const int64_t n = (panel + q) * kPanelF32 + v * 16;
      const int64_t left = p.n - n;
      const __mmask16 mask = left >= 16 ? 0xffff : left > 0 ? (1u << left) - 1 : 0;
      // max and min return their second operand where one is NaN: it passes the clip.
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
        const __m512 y = _mm512_min_ps(hi, _mm512_max_ps(lo, acc[m][q][v]));
        if (m < valid) _mm512_mask_storeu_ps(out + m * stride + n, mask, y);
      }
    }
  }
}

template <int kVectors>
void panel_rows(const MatmulF32& p, const float* const* rows, int64_t m, float* out, int64_t stride,
                int64_t panel) {
  int64_t i = 0;
  for (; m - i > 8; i += 12)
    tile<12, 1, kVectors>(p, rows + i, m - i, out + i * stride, stride, panel);
  if (m - i > 4)
    tile<8, 1, kVectors>(p, rows + i, m - i, out + i * stride, stride, panel);
  else if (m - i > 2)
    tile<4, 1, kVectors>(p, rows + i, m - i, out + i * stride, stride, panel);
  else if (m - i > 0)
    tile<2, 1, kVectors>(p, rows + i, m - i, out + i * stride, stride, panel);
}

}  // namespace

void matmul_f32(const MatmulF32& p, const float* const* rows, int64_t m, float* out, int64_t stride,
                int64_t panel_begin, int64_t panel_end) {
  int64_t panel = panel_begin;
  if (m <= 2) {  // few rows: more panels, to hide the latency of the sums
    for (; panel + 4 <= panel_end; panel += 4) {
      if (m == 1)
        tile<1, 4, 2>(p, rows, m, out, stride, panel);
      else
        tile<2, 4, 2>(p, rows, m, out, stride, panel);
    }
  }
  for (; panel < panel_end; ++panel) {
    if (p.n - panel * kPanelF32 > 16)
      panel_rows<2>(p, rows, m, out, stride, panel);
    else
      panel_rows<1>(p, rows, m, out, stride, panel);
  }
}

}  // namespace nibble::kernels::avx512bw
