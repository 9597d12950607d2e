// Registers of 16 channels' reals beside those of their codes, for matmul_s8_real.h.
#pragma once

#include "deploy/kernels/simd/arm_neon_f32.h"

namespace nibble::kernels {
namespace {

struct RealsNeon {
  using V = int32x4_t;
  using F = float32x4_t;
  static V splat32(int32_t x) { return vdupq_n_s32(x); }
  static V add32(V a, V b) { return vaddq_s32(a, b); }
  static V sub32(V a, V b) { return vsubq_s32(a, b); }
  static V multiply32(V a, V b) { return vmulq_s32(a, b); }
  static V shift_left32(V v, int by) { return vshlq_s32(v, vdupq_n_s32(by)); }
  static V widen_to_32(const uint8_t* p) {
    uint32_t four;
    __builtin_memcpy(&four, p, 4);
    const uint16x8_t wide = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(wide)));
  }
  static F splat(float x) { return vdupq_n_f32(x); }
  static F load_f(const float* p) { return vld1q_f32(p); }
  static void store_f(float* p, F v) { vst1q_f32(p, v); }
  static F to_float(V v) { return vcvtq_f32_s32(v); }
  static F fma(F a, F b, F c) { return vfmaq_f32(c, a, b); }
  static F clip(F v, F lo, F hi) { return kernels::clip(v, lo, hi); }
};

}  // namespace
}  // namespace nibble::kernels
