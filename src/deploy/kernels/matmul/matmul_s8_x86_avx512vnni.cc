#include <immintrin.h>

#include "deploy/kernels/matmul/matmul_s8.h"
#include "deploy/kernels/simd/unroll.h"
#include "deploy/kernels/simd/x86_avx512_output_s8.h"

namespace nibble::kernels::avx512vnni {
namespace {

constexpr int64_t kTile = 1024;  // panel8: 16 channels x 64 k

__m512i broadcast4(const int8_t* p) {
  int32_t four;
  __builtin_memcpy(&four, p, 4);
  return _mm512_set1_epi32(four);
}

/// - a b mod 2^32.
int32_t minus_product(int32_t a, int32_t b) {
  return static_cast<int32_t>(0u - static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
}

/// `kRows` rows by `kPanels` panels of `kVectors` x 16 channels, all sums in registers.
template <int kRows, int kPanels, int kVectors>
void tile(const MatmulS8& p, const int8_t* const* rows, const int32_t* row_sums, int64_t valid,
          int8_t* out, int64_t stride, int64_t panel) {
  const int8_t* row[kRows];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) row[m] = rows[m < valid ? m : valid - 1];
  const int64_t panel_bytes = kPanelS8 * p.k_padded;
  const uint8_t* b = p.b + panel * panel_bytes;
  __m512i acc[kRows][kPanels][kVectors];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    // A zero point that all channels share is taken off at the start.
    const __m512i start = _mm512_set1_epi32(
        p.output.same_zero ? minus_product(p.output.w_zero[0], row_sums[m < valid ? m : valid - 1])
                           : 0);
    NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
      NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) acc[m][q][v] = start;
    }
  }
  int64_t left_in_step = 16;  // vectors until the next k step of the panel
  for (int64_t s = 0; s < p.segments; ++s) {
    const int8_t* a[kRows];
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] = row[m] + p.segment[s];
    for (int64_t j = 0; j < p.length;) {
      const int64_t quads = (p.length - j) / 4;
      const int64_t run = quads < left_in_step ? quads : left_in_step;
      for (const int64_t end = j + run * 4; j < end; j += 4, b += 64) {
        __m512i w[kPanels][kVectors];
        NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
          NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) w[q][v] =
              _mm512_load_si512(b + q * panel_bytes + v * kTile);
        }
        NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
          const __m512i x = broadcast4(a[m] + j);
          NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
            NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) acc[m][q][v] =
                _mm512_dpbusd_epi32(acc[m][q][v], w[q][v], x);
          }
        }
      }
      left_in_step -= run;
      if (left_in_step == 0) {
        left_in_step = 16;
        b += kTile;  // over the second tile of the panel's step
      }
    }
  }
  const bool fast = p.output.same_zero && p.output.multiplier;
  if constexpr (kVectors == 2 && kPanels % 2 == 0) {
    if (fast) {
      NIBBLE_UNROLL for (int q = 0; q < kPanels; q += 2) {
        const int64_t n = (panel + q) * kPanelS8;
        NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
          if (m < valid)
            store64(p.output, n, p.n, acc[m][q][0], acc[m][q][1], acc[m][q + 1][0],
                    acc[m][q + 1][1], out + m * stride + n);
        }
      }
      return;
    }
  }
  NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
      const int64_t n = (panel + q) * kPanelS8 + v * 16;
      const __mmask16 mask = channel_mask(n, p.n);
      const OutputAvx512 output(p.output, n);
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
        if (m >= valid) continue;
        const __m128i y =
            p.output.same_zero ? output(acc[m][q][v]) : output(acc[m][q][v], row_sums[m]);
        _mm_mask_storeu_epi8(out + m * stride + n, mask, y);
      }
    }
  }
}

template <int kVectors>
void one_panel(const MatmulS8& p, const int8_t* const* rows, const int32_t* row_sums, int64_t m,
               int8_t* out, int64_t stride, int64_t panel) {
  int64_t i = 0;
  const auto run = [&](auto* kernel, int64_t step) {
    kernel(p, rows + i, row_sums + i, m - i, out + i * stride, stride, panel);
    i += step;
  };
  while (m - i > 8) run(tile<12, 1, kVectors>, 12);
  if (m - i > 4) run(tile<8, 1, kVectors>, 8);
  if (m - i > 2) run(tile<4, 1, kVectors>, 4);
  if (m - i > 0) run(tile<2, 1, kVectors>, 2);
}

void two_panels(const MatmulS8& p, const int8_t* const* rows, const int32_t* row_sums, int64_t m,
                int8_t* out, int64_t stride, int64_t panel) {
  int64_t i = 0;
  const auto run = [&](auto* kernel, int64_t step) {
    kernel(p, rows + i, row_sums + i, m - i, out + i * stride, stride, panel);
    i += step;
  };
  while (m - i > 4) run(tile<6, 2, 2>, 6);
  if (m - i > 2) run(tile<4, 2, 2>, 4);
  if (m - i > 0) run(tile<2, 2, 2>, 2);
}

}  // namespace

void matmul_s8(const MatmulS8& p, const int8_t* const* rows, const int32_t* row_sums, int64_t m,
               int8_t* out, int64_t stride, int64_t panel_begin, int64_t panel_end) {
  int64_t panel = panel_begin;
  if (m <= 2) {  // few rows: more panels, to hide the latency of the sums
    for (; panel + 4 <= panel_end; panel += 4) {
      if (m == 1)
        tile<1, 4, 2>(p, rows, row_sums, m, out, stride, panel);
      else
        tile<2, 4, 2>(p, rows, row_sums, m, out, stride, panel);
    }
  }
  for (; panel + 2 <= panel_end; panel += 2) two_panels(p, rows, row_sums, m, out, stride, panel);
  if (panel == panel_end) return;
  if (p.n - panel * kPanelS8 > 16)
    one_panel<2>(p, rows, row_sums, m, out, stride, panel);
  else
    one_panel<1>(p, rows, row_sums, m, out, stride, panel);
}

void sums_s8(const int8_t* a, int64_t rows, int64_t k, int32_t* sums) {
  const __m512i ones = _mm512_set1_epi8(1), zero = _mm512_setzero_si512();
  int64_t i = 0;
  if (k == 4) {  // a row is a lane
    for (; i + 16 <= rows; i += 16)
      _mm512_storeu_si512(sums + i, _mm512_dpbusd_epi32(zero, ones, _mm512_loadu_si512(a + i * 4)));
  }
  const __mmask64 tail = k % 64 == 0 ? 0 : (uint64_t{1} << k % 64) - 1;
  const auto lanes = [&](const int8_t* row) {
    __m512i sum = zero;
    int64_t j = 0;
    for (; j + 64 <= k; j += 64) sum = _mm512_dpbusd_epi32(sum, ones, _mm512_loadu_si512(row + j));
    if (tail) sum = _mm512_dpbusd_epi32(sum, ones, _mm512_maskz_loadu_epi8(tail, row + j));
    return sum;
  };
  for (; i + 4 <= rows; i += 4) {  // four rows share the sums across lanes
    const int8_t* row = a + i * k;
    const __m512i r0 = lanes(row), r1 = lanes(row + k);
    const __m512i r2 = lanes(row + 2 * k), r3 = lanes(row + 3 * k);
    const __m512i s01 =
        _mm512_add_epi32(_mm512_unpacklo_epi32(r0, r1), _mm512_unpackhi_epi32(r0, r1));
    const __m512i s23 =
        _mm512_add_epi32(_mm512_unpacklo_epi32(r2, r3), _mm512_unpackhi_epi32(r2, r3));
    const __m512i s =
        _mm512_add_epi32(_mm512_unpacklo_epi64(s01, s23), _mm512_unpackhi_epi64(s01, s23));
    const __m256i half =
        _mm256_add_epi32(_mm512_castsi512_si256(s), _mm512_extracti64x4_epi64(s, 1));
    const __m128i four =
        _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + i), four);
  }
  for (; i < rows; ++i) sums[i] = _mm512_reduce_add_epi32(lanes(a + i * k));
}

}  // namespace nibble::kernels::avx512vnni
