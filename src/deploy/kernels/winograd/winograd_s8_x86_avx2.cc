#include <immintrin.h>

#include "deploy/kernels/simd/unroll.h"
#include "deploy/kernels/simd/x86_avx2_output_s8.h"
#include "deploy/kernels/winograd/winograd_s8.h"

namespace nibble::kernels::avx2 {
namespace {

void input(const int8_t* const* patch, int64_t channels, int16_t* v, int64_t plane) {
  for (int64_t c = 0; c < channels; c += 16) {
    const auto load = [&](int i) NIBBLE_ALWAYS_INLINE {
      return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(patch[i] + c)));
    };
    __m256i t[4][4];  // B'd
    NIBBLE_UNROLL for (int j = 0; j < 4; ++j) {
      const __m256i d1 = load(4 + j), d2 = load(8 + j);
      t[0][j] = _mm256_sub_epi16(load(j), d2);
      t[1][j] = _mm256_add_epi16(d1, d2);
      t[2][j] = _mm256_sub_epi16(d2, d1);
      t[3][j] = _mm256_sub_epi16(d1, load(12 + j));
    }
    NIBBLE_UNROLL for (int i = 0; i < 4; ++i) {
      const auto store = [&](int j, __m256i element) NIBBLE_ALWAYS_INLINE {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(v + (4 * i + j) * plane + c), element);
      };
      store(0, _mm256_sub_epi16(t[i][0], t[i][2]));
      store(1, _mm256_add_epi16(t[i][1], t[i][2]));
      store(2, _mm256_sub_epi16(t[i][2], t[i][1]));
      store(3, _mm256_sub_epi16(t[i][1], t[i][3]));
    }
  }
}

/// Beyond the last tile the last one is computed again.
void product(const int16_t* v, int64_t tiles, const int16_t* u, int64_t channels, int32_t* m) {
  constexpr int kRows = int(kWinogradRows);
  for (int64_t t = 0; t < tiles; t += kRows, m += kRows * kWinogradTile) {
    const int16_t* row[kRows];
    NIBBLE_UNROLL for (int r = 0; r < kRows; ++r) row[r] =
        v + (t + r < tiles ? t + r : tiles - 1) * channels;
    __m256i acc[kRows][2];
    NIBBLE_UNROLL for (int r = 0; r < kRows; ++r) acc[r][0] = acc[r][1] = _mm256_setzero_si256();
    const auto* w = reinterpret_cast<const __m256i*>(u);
    for (int64_t c = 0; c < channels; c += 2, w += 2) {
      const __m256i low = _mm256_load_si256(w), high = _mm256_load_si256(w + 1);
      NIBBLE_UNROLL for (int r = 0; r < kRows; ++r) {
        int32_t two;
        __builtin_memcpy(&two, row[r] + c, 4);
        const __m256i x = _mm256_set1_epi32(two);
        acc[r][0] = _mm256_add_epi32(acc[r][0], _mm256_madd_epi16(low, x));
        acc[r][1] = _mm256_add_epi32(acc[r][1], _mm256_madd_epi16(high, x));
      }
    }
    NIBBLE_UNROLL for (int r = 0; r < kRows; ++r) {
      auto* to = reinterpret_cast<__m256i*>(m + r * kWinogradTile);
      _mm256_store_si256(to, acc[r][0]);
      _mm256_store_si256(to + 1, acc[r][1]);
    }
  }
}

void output(const int32_t* m, int64_t plane, int64_t tiles, int32_t* sums, int64_t line) {
  for (int64_t i = 0; i < tiles * kWinogradTile; i += 8) {
    const auto at = [&](int element) NIBBLE_ALWAYS_INLINE {
      return _mm256_load_si256(reinterpret_cast<const __m256i*>(m + element * plane + i));
    };
    __m256i s[2][4];  // A'M
    NIBBLE_UNROLL for (int j = 0; j < 4; ++j) {
      const __m256i m1 = at(4 + j), m2 = at(8 + j);
      s[0][j] = _mm256_add_epi32(at(j), _mm256_add_epi32(m1, m2));
      s[1][j] = _mm256_sub_epi32(m1, _mm256_add_epi32(m2, at(12 + j)));
    }
    // Tile t, channels 0..7 or 8..15 of it.
    int32_t* to = sums + i / kWinogradTile * 2 * kWinogradTile + i % kWinogradTile;
    NIBBLE_UNROLL for (int row = 0; row < 2; ++row, to += line) {
      const __m256i* r = s[row];
      const __m256i left = _mm256_add_epi32(r[0], _mm256_add_epi32(r[1], r[2]));
      const __m256i right = _mm256_sub_epi32(r[1], _mm256_add_epi32(r[2], r[3]));
      _mm256_store_si256(reinterpret_cast<__m256i*>(to), _mm256_srai_epi32(left, 2));
      _mm256_store_si256(reinterpret_cast<__m256i*>(to + kWinogradTile),
                         _mm256_srai_epi32(right, 2));
    }
  }
}

}  // namespace

const WinogradS8Core kWinogradS8 = {input, product, output, output_tile_avx2};

}  // namespace nibble::kernels::avx2
