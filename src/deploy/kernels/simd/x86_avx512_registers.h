// The register operations that the cores of integer products share: codes, their sums, and reals
// beside them (matmul_s8_real.h).
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace nibble::kernels {
namespace {

struct RegistersAvx512 {
  using V = __m512i;
  using F = __m512;

  static V load(const void* p) { return _mm512_load_si512(p); }
  static void store(void* p, V v) { _mm512_store_si512(p, v); }
  static V shift_right(V v, int by) { return _mm512_srli_epi16(v, by); }
  static V shift_left(V v, int by) { return _mm512_slli_epi16(v, by); }
  static V mask(V v, int byte) { return _mm512_and_si512(v, _mm512_set1_epi8(char(byte))); }
  static V join(V a, V b) { return _mm512_or_si512(a, b); }
  static V add32(V a, V b) { return _mm512_add_epi32(a, b); }
  static V broadcast4(const int8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, 4);
    return _mm512_set1_epi32(four);
  }

  static V splat32(int32_t x) { return _mm512_set1_epi32(x); }
  static V sub32(V a, V b) { return _mm512_sub_epi32(a, b); }
  static V multiply32(V a, V b) { return _mm512_mullo_epi32(a, b); }
  static V shift_left32(V v, int by) { return _mm512_slli_epi32(v, by); }
  static V widen_to_32(const uint8_t* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static F splat(float x) { return _mm512_set1_ps(x); }
  static F load_f(const float* p) { return _mm512_loadu_ps(p); }
  static void store_f(float* p, F v) { _mm512_storeu_ps(p, v); }
  static F to_float(V v) { return _mm512_cvtepi32_ps(v); }
  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static F clip(F v, F lo, F hi) { return _mm512_min_ps(hi, _mm512_max_ps(lo, v)); }  // NaN kept
};

}  // namespace
}  // namespace nibble::kernels
