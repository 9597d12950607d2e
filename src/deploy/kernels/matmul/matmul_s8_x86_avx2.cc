#include <immintrin.h>

#include "deploy/kernels/matmul/matmul_s8_madd.h"
#include "deploy/kernels/simd/x86_avx2_output_s8.h"

namespace nibble::kernels::avx2 {
namespace {

struct Ops {
  using V = __m256i;
  using TileOutput = TileOutputAvx2;
  static constexpr int kTiles = 1, kWideRows = 3, kNarrowRows = 6;

  static V load(const void* p) { return _mm256_load_si256(static_cast<const V*>(p)); }
  static void store(void* p, V v) { _mm256_store_si256(static_cast<V*>(p), v); }
  static V zero() { return _mm256_setzero_si256(); }
  static V ones16() { return _mm256_set1_epi16(1); }
  static V shift_right(V v, int by) { return _mm256_srli_epi16(v, by); }
  static V shift_left(V v, int by) { return _mm256_slli_epi16(v, by); }
  static V mask(V v, int byte) { return _mm256_and_si256(v, _mm256_set1_epi8(char(byte))); }
  static V join(V a, V b) { return _mm256_or_si256(a, b); }
  static V add32(V a, V b) { return _mm256_add_epi32(a, b); }
  static V add16(V a, V b) { return _mm256_add_epi16(a, b); }
  static V madd(V a, V b) { return _mm256_madd_epi16(a, b); }
  static V maddubs(V u, V s) { return _mm256_maddubs_epi16(u, s); }
  static V broadcast4(const int8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, 4);
    return _mm256_set1_epi32(four);
  }
  static V quad16(const int8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, 4);
    return _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
  }
  static V widen(const uint8_t* p) {
    return _mm256_cvtepu8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
  }
  /// Four registers of two sums a channel to two of one.
  static void add_neighbours(const V (&pairs)[4], V (&sums)[2]) {
    for (int h = 0; h < 2; ++h)
      sums[h] = _mm256_permute4x64_epi64(_mm256_hadd_epi32(pairs[2 * h], pairs[2 * h + 1]), 0xd8);
  }
};

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

}  // namespace

const MatmulS8Core kMatmulS8 = {block_madd<Ops>, vector_madd<Ops>, unpack_s8<Ops>, sums_s8,
                                /*dense_rows=*/false};

}  // namespace nibble::kernels::avx2
