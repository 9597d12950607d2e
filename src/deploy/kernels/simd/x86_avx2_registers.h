// The register operations that the cores of integer products share: codes, their sums, and reals
// beside them (matmul_s8_real.h).
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace nibble::kernels {
namespace {

struct RegistersAvx2 {
  using V = __m256i;
  using F = __m256;

  static V load(const void* p) { return _mm256_load_si256(static_cast<const V*>(p)); }
  static void store(void* p, V v) { _mm256_store_si256(static_cast<V*>(p), v); }
  static V shift_right(V v, int by) { return _mm256_srli_epi16(v, by); }
  static V shift_left(V v, int by) { return _mm256_slli_epi16(v, by); }
  static V mask(V v, int byte) { return _mm256_and_si256(v, _mm256_set1_epi8(char(byte))); }
  static V join(V a, V b) { return _mm256_or_si256(a, b); }
  static V add32(V a, V b) { return _mm256_add_epi32(a, b); }
  static V broadcast4(const int8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, 4);
    return _mm256_set1_epi32(four);
  }

  static V splat32(int32_t x) { return _mm256_set1_epi32(x); }
  static V sub32(V a, V b) { return _mm256_sub_epi32(a, b); }
  static V multiply32(V a, V b) { return _mm256_mullo_epi32(a, b); }
  static V shift_left32(V v, int by) { return _mm256_slli_epi32(v, by); }
  static V widen_to_32(const uint8_t* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  static F splat(float x) { return _mm256_set1_ps(x); }
  static F load_f(const float* p) { return _mm256_loadu_ps(p); }
  static void store_f(float* p, F v) { _mm256_storeu_ps(p, v); }
  static F to_float(V v) { return _mm256_cvtepi32_ps(v); }
  static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static F clip(F v, F lo, F hi) { return _mm256_min_ps(hi, _mm256_max_ps(lo, v)); }  // NaN kept
};

}  // namespace
}  // namespace nibble::kernels
