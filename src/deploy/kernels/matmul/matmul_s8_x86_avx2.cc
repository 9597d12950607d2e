#include <immintrin.h>

#include "deploy/kernels/matmul/matmul_s8_madd_real.h"
#include "deploy/kernels/simd/x86_avx2_output_s8.h"
#include "deploy/kernels/simd/x86_avx2_registers.h"

namespace nibble::kernels::avx2 {
namespace {

struct Ops : RegistersAvx2 {
  static constexpr auto& output_tile = output_tile_avx2;
  static constexpr int kWideRows = 4, kNarrowRows = 6, kSplitVectors = 4, kSplitSums = 12;

  static V zero() { return _mm256_setzero_si256(); }
  static V ones16() { return _mm256_set1_epi16(1); }
  static V shift_right_signed(V v, int by) { return _mm256_srai_epi16(v, by); }
  static V mask_low_bytes(V v) { return _mm256_and_si256(v, _mm256_set1_epi16(255)); }
  static V load_unaligned(const void* p) { return _mm256_loadu_si256(static_cast<const V*>(p)); }
  static V load_quads(const void* p, int64_t quads) {
    const V lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const V some = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(quads)), lanes);
    return _mm256_maskload_epi32(static_cast<const int*>(p), some);
  }
  static void store_unaligned(void* p, V v) { _mm256_storeu_si256(static_cast<V*>(p), v); }
  static V mask_low_words(V v) { return _mm256_and_si256(v, _mm256_set1_epi32(0xffff)); }
  static V sub16(V a, V b) { return _mm256_sub_epi16(a, b); }
  static int32_t sum32(V v) {
    __m128i x = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1)));
  }
  static V add16(V a, V b) { return _mm256_add_epi16(a, b); }
  static V madd(V a, V b) { return _mm256_madd_epi16(a, b); }
  static V maddubs(V u, V s) { return _mm256_maddubs_epi16(u, s); }
};

void sums_s8(const int8_t* a, int64_t rows, int64_t k, int32_t* sums) {
  const __m256i ones8 = _mm256_set1_epi8(1), ones16 = _mm256_set1_epi16(1);
  const auto quads = [&](const int8_t* p) {  // eight of them
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm256_madd_epi16(_mm256_maddubs_epi16(ones8, v), ones16);
  };
  int64_t i = 0;
  if (k == 4)
    for (; i + 8 <= rows; i += 8, a += 32)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + i), quads(a));
  const auto lanes = [&](const int8_t* row) {
    __m256i sum = _mm256_setzero_si256();
    int64_t j = 0;
    for (; j + 32 <= k; j += 32) sum = _mm256_add_epi32(sum, quads(row + j));
    __m128i low = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    const auto add = [&](__m128i v) {
      low = _mm_add_epi32(low, _mm_madd_epi16(_mm_cvtepi8_epi16(v), _mm_set1_epi16(1)));
    };
    for (; j + 8 <= k; j += 8) add(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(row + j)));
    if (j == k) return low;
    int64_t tail = 0;
    for (int64_t at = 0; j < k; ++j, at += 8) tail |= int64_t{static_cast<uint8_t>(row[j])} << at;
    add(_mm_cvtsi64_si128(tail));
    return low;
  };
  for (; i + 4 <= rows; i += 4, a += 4 * k) {  // four rows share the sums across lanes
    const __m128i r01 = _mm_hadd_epi32(lanes(a), lanes(a + k));
    const __m128i r23 = _mm_hadd_epi32(lanes(a + 2 * k), lanes(a + 3 * k));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + i), _mm_hadd_epi32(r01, r23));
  }
  for (; i < rows; ++i, a += k) {
    const __m128i pairs = lanes(a), sum = _mm_hadd_epi32(pairs, pairs);
    sums[i] = _mm_cvtsi128_si32(_mm_hadd_epi32(sum, sum));
  }
}

}  // namespace

const MatmulS8Core kMatmulS8 = {
    .block = block_madd<Ops>,
    .vector = vector_madd<Ops>,
    .unpack = unpack_s8<Ops>,
    .sums = sums_s8,
    .dense_rows = false,
    .real = real_madd<Ops>,
    .serial_macs = 60e3,
    .code_scratch = sizeof(int16_t),
    .folds_zeros = folds_zeros_madd,
};

}  // namespace nibble::kernels::avx2
