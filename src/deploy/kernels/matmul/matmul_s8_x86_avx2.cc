#include <immintrin.h>

#include "deploy/kernels/matmul/matmul_s8.h"
#include "deploy/kernels/simd/unroll.h"
#include "deploy/kernels/simd/x86_avx2_output_s8.h"

namespace nibble::kernels::avx2 {
namespace {

constexpr int64_t kTile = 1024;  // panel8: 16 channels x 64 k

__m256i broadcast4(const int8_t* p) {
  int32_t four;
  __builtin_memcpy(&four, p, 4);
  return _mm256_set1_epi32(four);
}

/// u x a over four k without saturation: u = 2 (u >> 1) + (u & 1), and a pair of 7-bit by 8-bit
/// products fits int16 (2 * 127 * 128 = 32512).
struct Halves {
  __m256i high, low;

  explicit Halves(const uint8_t* u) {
    const __m256i v = _mm256_load_si256(reinterpret_cast<const __m256i*>(u));
    const __m256i one = _mm256_set1_epi8(1);
    low = _mm256_and_si256(v, one);
    high = _mm256_and_si256(_mm256_srli_epi16(v, 1), _mm256_set1_epi8(0x7f));
  }
};

/// `kRows` rows by 16 channels (one tile of a panel) from channel n on.
template <int kRows>
void tile(const MatmulS8& p, const int8_t* const* rows, const int32_t* row_sums, int64_t valid,
          int8_t* out, int64_t stride, int64_t n) {
  const int8_t* row[kRows];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) row[m] = rows[m < valid ? m : valid - 1];
  const uint8_t* b = p.b + n / kPanelS8 * kPanelS8 * p.k_padded + n % kPanelS8 / 16 * kTile;
  __m256i acc[kRows][2];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) acc[m][0] = acc[m][1] = _mm256_setzero_si256();
  // Pairs of int16 products, weighted 2 and 1, added up in int32.
  const __m256i ones = _mm256_set1_epi16(1), twos = _mm256_set1_epi16(2);
  int64_t left_in_step = 16;  // vectors until the next k step of the panel
  for (int64_t s = 0; s < p.segments; ++s) {
    const int8_t* a[kRows];
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] = row[m] + p.segment[s];
    for (int64_t j = 0; j < p.length; j += 4) {
      const Halves w[2] = {Halves(b), Halves(b + 32)};
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
        const __m256i x = broadcast4(a[m] + j);
        NIBBLE_UNROLL for (int v = 0; v < 2; ++v) {
          const __m256i high = _mm256_madd_epi16(_mm256_maddubs_epi16(w[v].high, x), twos);
          const __m256i low = _mm256_madd_epi16(_mm256_maddubs_epi16(w[v].low, x), ones);
          acc[m][v] = _mm256_add_epi32(acc[m][v], _mm256_add_epi32(high, low));
        }
      }
      b += 64;
      if (--left_in_step == 0) {
        left_in_step = 16;
        b += kTile;  // over the other tile of the panel's step
      }
    }
  }
  const OutputAvx2 output[2] = {OutputAvx2(p.output, n), OutputAvx2(p.output, n + 8)};
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    if (m >= valid) continue;
    const __m128i y =
        pack_codes(output[0](acc[m][0], row_sums[m]), output[1](acc[m][1], row_sums[m]));
    store_codes(out + m * stride + n, y, p.n - n);
  }
}

}  // namespace

void matmul_s8(const MatmulS8& p, const int8_t* const* rows, const int32_t* row_sums, int64_t m,
               int8_t* out, int64_t stride, int64_t panel_begin, int64_t panel_end) {
  const int64_t n_end = panel_end * kPanelS8 < p.n ? panel_end * kPanelS8 : p.n;
  for (int64_t n = panel_begin * kPanelS8; n < n_end; n += 16) {
    int64_t i = 0;
    for (; m - i > 1; i += 4)
      tile<4>(p, rows + i, row_sums + i, m - i, out + i * stride, stride, n);
    if (m - i == 1) tile<1>(p, rows + i, row_sums + i, m - i, out + i * stride, stride, n);
  }
}

void sums_s8(const int8_t* a, int64_t rows, int64_t k, int32_t* sums) {
  const __m256i ones8 = _mm256_set1_epi8(1), ones16 = _mm256_set1_epi16(1);
  for (int64_t i = 0; i < rows; ++i, a += k) {
    __m256i sum = _mm256_setzero_si256();
    int64_t j = 0;
    for (; j + 32 <= k; j += 32) {
      const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + j));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(ones8, v), ones16));
    }
    uint32_t lanes[8];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), sum);
    uint32_t total = 0;  // wraps around, as in the reference
    for (uint32_t lane : lanes) total += lane;
    for (; j < k; ++j) total += static_cast<uint32_t>(a[j]);
    sums[i] = static_cast<int32_t>(total);
  }
}

}  // namespace nibble::kernels::avx2
