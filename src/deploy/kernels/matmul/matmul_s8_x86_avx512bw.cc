#include <immintrin.h>

#include "deploy/kernels/matmul/matmul_s8_madd_real.h"
#include "deploy/kernels/simd/x86_avx512_output_s8.h"
#include "deploy/kernels/simd/x86_avx512_registers.h"

namespace nibble::kernels::avx512bw {
namespace {

struct Ops : RegistersAvx512 {
  static constexpr auto& output_tile = output_tile_avx512;
  static constexpr int kWideRows = 8, kNarrowRows = 12, kSplitVectors = 4, kSplitSums = 24;

  static V zero() { return _mm512_setzero_si512(); }
  static V ones16() { return _mm512_set1_epi16(1); }
  static V shift_right_signed(V v, int by) { return _mm512_srai_epi16(v, by); }
  static V mask_low_bytes(V v) { return _mm512_and_si512(v, _mm512_set1_epi16(255)); }
  static V load_unaligned(const void* p) { return _mm512_loadu_si512(p); }
  static V load_quads(const void* p, int64_t quads) {
    return _mm512_maskz_loadu_epi32(static_cast<__mmask16>((1u << quads) - 1), p);
  }
  static void store_unaligned(void* p, V v) { _mm512_storeu_si512(p, v); }
  static V mask_low_words(V v) { return _mm512_and_si512(v, _mm512_set1_epi32(0xffff)); }
  static V sub16(V a, V b) { return _mm512_sub_epi16(a, b); }
  static int32_t sum32(V v) { return _mm512_reduce_add_epi32(v); }
  static V add16(V a, V b) { return _mm512_add_epi16(a, b); }
  static V madd(V a, V b) { return _mm512_madd_epi16(a, b); }
  static V maddubs(V u, V s) { return _mm512_maddubs_epi16(u, s); }
};

void sums_s8(const int8_t* a, int64_t rows, int64_t k, int32_t* sums) {
  const __m512i ones8 = _mm512_set1_epi8(1), ones16 = _mm512_set1_epi16(1);
  const __mmask64 tail = k % 64 == 0 ? 0 : (uint64_t{1} << k % 64) - 1;
  const auto add = [&](__m512i sum, __m512i v) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_maddubs_epi16(ones8, v), ones16));
  };
  for (int64_t i = 0; i < rows; ++i, a += k) {
    __m512i sum = _mm512_setzero_si512();
    int64_t j = 0;
    for (; j + 64 <= k; j += 64) sum = add(sum, _mm512_loadu_si512(a + j));
    if (tail) sum = add(sum, _mm512_maskz_loadu_epi8(tail, a + j));
    sums[i] = _mm512_reduce_add_epi32(sum);
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
    .serial_macs = 120e3,
    .code_scratch = sizeof(int16_t),
    .folds_zeros = folds_zeros_madd,
};

}  // namespace nibble::kernels::avx512bw
