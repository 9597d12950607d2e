#pragma once

#include <cstdint>

#include "deploy/kernels/simd/output_s8.h"

namespace nibble::kernels {

/// One filter a channel over a run of neighbouring output pixels of a channels-last image. Tap t of
/// pixel i is the `channels` elements at taps[t] + i * step; results are dense, out + i * channels.

/// y[i][c] = clip(bias[c] + sum_t x[t][c] w[t][c]), clip(v) = min(max(v, lo), hi); t ascending,
/// fused multiply-add from the bias. Weights are [taps][channels padded to 16]; bias likewise
/// padded.
struct DepthwiseF32 {
  const float* weights = nullptr;
  const float* bias = nullptr;
  int64_t channels = 0;
  int64_t taps = 0;
  float lo = 0, hi = 0;
};
using DepthwiseF32Core = void(const DepthwiseF32& p, const float* const* taps, int64_t step,
                              int64_t pixels, float* out);

/// sum[i][c] = sum_t x[t][c] w[t][c] in int32, y = OutputS8(sum) with row sum 0: the zero points of
/// the weights are taken off already, |w| <= 32767.
///
/// Taps come in pairs (an odd last one is followed by any readable tap of weight 0), which is what
/// a 16-bit multiply-add wants. Weights are [channels / 32][pairs][half][16 lanes][2 taps]: quad q
/// = c % 32 / 4 of a block's channels lies in half q % 2, lanes q / 2 * 4 + c % 4. That is the
/// order in which unpack instructions interleave two taps; missing channels are 0. Constants of the
/// output are padded to 32 channels.
struct DepthwiseS8 {
  const int16_t* weights = nullptr;
  int64_t channels = 0;
  int64_t pairs = 0;
  OutputS8 output;
};
using DepthwiseS8Core = void(const DepthwiseS8& p, const int8_t* const* taps, int64_t step,
                             int64_t pixels, int8_t* out);

inline constexpr int64_t kDepthwiseBlockF32 = 16;
inline constexpr int64_t kDepthwiseBlockS8 = 32;
/// int16 elements of one block and pair.
inline constexpr int64_t kDepthwisePairS8 = 64;

/// Place of tap t of channel c in the weights of DepthwiseS8.
constexpr int64_t depthwise_s8_offset(int64_t pairs, int64_t c, int64_t t) {
  const int64_t quad = c % 32 / 4;
  return (c / 32 * pairs + t / 2) * kDepthwisePairS8 + quad % 2 * 32 + (quad / 2 * 4 + c % 4) * 2 +
         t % 2;
}

#define NIBBLE_DEPTHWISE_F32(isa, space) \
  namespace space {                      \
  DepthwiseF32Core depthwise_f32;        \
  }
#define NIBBLE_DEPTHWISE_S8(isa, space) \
  namespace space {                     \
  DepthwiseS8Core depthwise_s8;         \
  }
#include "deploy/kernels/depthwise/kernels.inc"
#undef NIBBLE_DEPTHWISE_F32
#undef NIBBLE_DEPTHWISE_S8

}  // namespace nibble::kernels
