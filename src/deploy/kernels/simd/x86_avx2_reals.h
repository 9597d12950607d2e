// Registers of 16 channels' reals beside those of their codes, for matmul_s8_real.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace nibble::kernels {
namespace {

struct RealsAvx2 {
  using V = __m256i;
  using F = __m256;
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
