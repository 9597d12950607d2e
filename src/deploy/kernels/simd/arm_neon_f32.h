#pragma once

#include <arm_neon.h>

#include <cstdint>

// For files compiled for ARM alone; internal linkage, so that no copy meets another ISA's.
namespace nibble::kernels {
namespace {

/// min(max(v, lo), hi) by comparisons: NaN and -0 against a bound of 0 pass as they are, which
/// fmax and fmin would change.
inline float32x4_t clip(float32x4_t v, float32x4_t lo, float32x4_t hi) {
  v = vbslq_f32(vcgtq_f32(lo, v), lo, v);
  return vbslq_f32(vcltq_f32(hi, v), hi, v);
}

/// The first `left` of four elements; zeros for the rest.
inline float32x4_t load_some(const float* x, int64_t left) {
  if (left >= 4) return vld1q_f32(x);
  float some[4] = {};
  for (int64_t i = 0; i < left; ++i) some[i] = x[i];
  return vld1q_f32(some);
}

inline void store_some(float* y, float32x4_t v, int64_t left) {
  if (left >= 4) {
    vst1q_f32(y, v);
    return;
  }
  float some[4];
  vst1q_f32(some, v);
  for (int64_t i = 0; i < left; ++i) y[i] = some[i];
}

}  // namespace
}  // namespace nibble::kernels
