#pragma once

#include <arm_neon.h>

#include "deploy/kernels/simd/output_s8.h"

// For files compiled for ARM alone; internal linkage, so that no copy meets another ISA's.
namespace nibble::kernels {
namespace {

/// (acc m0 + 2^(shift-1)) >> shift in 64 bits, saturated to int32; `left` is -shift. The rounding
/// shift adds the half itself.
inline int32x4_t requantise_fixed_neon(int32x4_t acc, int32x4_t m0, int32x4_t left) {
  const int64x2_t low = vmull_s32(vget_low_s32(acc), vget_low_s32(m0));
  const int64x2_t high = vmull_high_s32(acc, m0);
  return vcombine_s32(vqmovn_s64(vrshlq_s64(low, vmovl_s32(vget_low_s32(left)))),
                      vqmovn_s64(vrshlq_s64(high, vmovl_high_s32(left))));
}

/// The output stage for 4 channels from n on: their per-channel constants in registers. Codes come
/// as int32.
class OutputNeon {
 public:
  OutputNeon(const OutputS8& out, int64_t n)
      : fixed_(out.multiplier == nullptr),
        binary_(out.binary),
        sum_shift_(vdupq_n_s32(out.sum_shift)),
        bias_(vld1q_s32(out.bias + n)),
        w_zero_(vld1q_s32(out.w_zero + n)),
        y_zero_(vdupq_n_s32(out.y_zero)),
        lo_(vdupq_n_s32(out.y_min - out.y_zero)),
        hi_(vdupq_n_s32(out.y_max - out.y_zero)) {
    if (fixed_) {
      scale_ = vld1q_s32(out.m0 + n);
      left_ = vnegq_s32(vld1q_s32(out.shift + n));
    } else {
      scale_ = vreinterpretq_s32_f32(vld1q_f32(out.multiplier + n));
      left_ = vdupq_n_s32(0);
    }
  }

  int32x4_t operator()(int32x4_t sum, int32_t row_sum) const {
    const int32x4_t correction = vmlsq_s32(bias_, w_zero_, vdupq_n_s32(row_sum));
    return codes(vaddq_s32(vshlq_s32(sum, sum_shift_), correction));
  }
  /// Without row sums.
  int32x4_t operator()(int32x4_t sum) const {
    return codes(vaddq_s32(vshlq_s32(sum, sum_shift_), bias_));
  }

 private:
  /// +1 where acc scale >= 0, else -1: the sign of acc unless the scale is zero.
  int32x4_t signs(int32x4_t acc) const {
    const uint32x4_t negative = vandq_u32(vcltzq_s32(acc), vtstq_s32(scale_, scale_));
    return vorrq_s32(vreinterpretq_s32_u32(negative), vdupq_n_s32(1));
  }

  /// The conversion to integers saturates, so that the clamp may follow it.
  int32x4_t codes(int32x4_t acc) const {
    const int32x4_t y =
        binary_  ? signs(acc)
        : fixed_ ? requantise_fixed_neon(acc, scale_, left_)
                 : vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc), vreinterpretq_f32_s32(scale_)));
    return vaddq_s32(vminq_s32(vmaxq_s32(y, lo_), hi_), y_zero_);
  }

  bool fixed_, binary_;
  int32x4_t sum_shift_, bias_, w_zero_, y_zero_, lo_, hi_, scale_, left_;
};

/// Four codes y, as int32, with their residuals r added.
inline int32x4_t add_residual_neon(const OutputS8& out, int32x4_t y, int16x4_t r) {
  const ResidualS8& add = out.residual;
  const auto scaled = [](int32x4_t codes, int32_t zero, float m) {
    return vmulq_n_f32(vcvtq_f32_s32(vsubq_s32(codes, vdupq_n_s32(zero))), m);
  };
  const float32x4_t v =
      vaddq_f32(scaled(y, out.y_zero, add.m_y), scaled(vmovl_s16(r), add.r_zero, add.m_r));
  const int32x4_t sum = vmaxq_s32(vcvtnq_s32_f32(v), vdupq_n_s32(add.lo - add.zero));
  return vaddq_s32(vminq_s32(sum, vdupq_n_s32(add.hi - add.zero)), vdupq_n_s32(add.zero));
}

/// 16 codes of int32, in the order of the channels, as bytes.
inline int8x16_t pack_codes(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d) {
  const int16x8_t low = vuzp1q_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b));
  const int16x8_t high = vuzp1q_s16(vreinterpretq_s16_s32(c), vreinterpretq_s16_s32(d));
  return vuzp1q_s8(vreinterpretq_s8_s16(low), vreinterpretq_s8_s16(high));
}

/// Stores the first `left` of 16 codes.
inline void store_codes(int8_t* out, int8x16_t codes, int64_t left) {
  if (left >= 16) {
    vst1q_s8(out, codes);
    return;
  }
  int8_t bytes[16];
  vst1q_s8(bytes, codes);
  for (int64_t i = 0; i < left; ++i) out[i] = bytes[i];
}

/// The first `left` of 16 codes; zeros for the rest.
inline int8x16_t load_codes(const int8_t* x, int64_t left) {
  if (left >= 16) return vld1q_s8(x);
  int8_t bytes[16] = {};
  for (int64_t i = 0; i < left; ++i) bytes[i] = x[i];
  return vld1q_s8(bytes);
}

/// The output stage for the 16 channels of a tile from n on.
__attribute__((noinline)) inline void output_tile_neon(const OutputS8& out, int64_t n,
                                                       const TileRows& tile) {
  const OutputNeon quads[4] = {{out, n}, {out, n + 4}, {out, n + 8}, {out, n + 12}};
  for (int64_t i = 0; i < tile.rows; ++i) {
    const int32_t* sums = tile.sums + i * tile.pitch;
    int32x4_t y[4];
    for (int q = 0; q < 4; ++q)
      y[q] = tile.row_sums ? quads[q](vld1q_s32(sums + 4 * q), tile.row_sums[i])
                           : quads[q](vld1q_s32(sums + 4 * q));
    if (tile.residual) {
      const int8x16_t r = load_codes(tile.residual + i * tile.stride, tile.channels);
      const int16x8_t low = vmovl_s8(vget_low_s8(r)), high = vmovl_high_s8(r);
      y[0] = add_residual_neon(out, y[0], vget_low_s16(low));
      y[1] = add_residual_neon(out, y[1], vget_high_s16(low));
      y[2] = add_residual_neon(out, y[2], vget_low_s16(high));
      y[3] = add_residual_neon(out, y[3], vget_high_s16(high));
    }
    store_codes(tile.out + i * tile.stride, pack_codes(y[0], y[1], y[2], y[3]), tile.channels);
  }
}

}  // namespace
}  // namespace nibble::kernels
