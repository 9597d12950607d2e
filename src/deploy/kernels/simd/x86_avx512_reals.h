// Registers of 16 channels' reals beside those of their codes, for matmul_s8_real.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace nibble::kernels {
namespace {

struct RealsAvx512 {
  using V = __m512i;
  using F = __m512;
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
