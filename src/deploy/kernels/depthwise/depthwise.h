#pragma once

#include <cstddef>
#include <cstdint>

#include "deploy/kernels/simd/output_s8.h"

namespace nibble::kernels {

/// Where a tap of neighbouring outputs lies: that of output i is the elements at + i * step, one a
/// channel. A tap outside the image is a pixel of padding at step 0.
template <class T>
struct Tap {
  const T* at;
  int64_t step;
};

/// One filter a channel over a run of neighbouring outputs of a channels-last image, along a line
/// or a column. Result i is the `channels` elements at out + i * out_step.
template <class Problem, class T>
using DepthwiseCore = void(const Problem& p, const Tap<T>* taps, int64_t outputs, T* out,
                           int64_t out_step);

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
using DepthwiseF32Core = DepthwiseCore<DepthwiseF32, float>;

/// sum[i][c] = sum_t x[t][c] w[t][c] in int32, y = OutputS8(sum) with row sum 0: the zero points of
/// the weights are taken off already, |w| <= 32767.
///
/// Taps come in pairs, which is what a 16-bit multiply-add wants, in the order of
/// depthwise_s8_order. Weights are [channels / 32][pairs][half][16 lanes][2 taps]: octet q = c % 32
/// / 8 of a block's channels lies in half q % 2, lanes q / 2 * 8 + c % 8. That is the order in
/// which unpack instructions interleave two taps; missing channels are 0. Constants of the output
/// are padded to 32 channels.
struct DepthwiseS8 {
  const int16_t* weights = nullptr;
  int64_t channels = 0;
  int64_t pairs = 0;
  OutputS8 output;
};
using DepthwiseS8Core = DepthwiseCore<DepthwiseS8, int8_t>;

inline constexpr int64_t kDepthwiseBlockF32 = 16;
inline constexpr int64_t kDepthwiseBlockS8 = 32;

/// Pixels to treat as one of `fold` times the channels, where they lie side by side, so that few
/// channels fill a block: the constants of the problem repeat over the block (channel c of it is
/// channel c % channels). 1 where channels do not divide the block.
constexpr int64_t depthwise_fold(int64_t channels, int64_t block) {
  return block % channels == 0 ? block / channels : 1;
}

/// Taps of a filter, at most.
inline constexpr int64_t kMaxDepthwiseTaps = 128;

/// The taps of DepthwiseS8, two a pair, for filters of `lines` lines of `length` taps (tap = line *
/// length + place) and runs of outputs along a line: first pairs of lines, place by place, so that
/// at stride 1 a pair is the one before it moved by one output; then the last line of an odd
/// number. For runs along a column (axis 1, else 2) lines and places change roles. Writes 2 * pairs
/// taps, of which one comes twice where the taps are odd in number: its weight belongs to the
/// first. Returns the pairs.
int64_t depthwise_s8_order(int64_t lines, int64_t length, size_t axis, int32_t* order);

/// int16 elements of one block and pair.
inline constexpr int64_t kDepthwisePairS8 = 64;

/// Place of tap t of channel c in the weights of DepthwiseS8.
constexpr int64_t depthwise_s8_offset(int64_t pairs, int64_t c, int64_t t) {
  const int64_t octet = c % 32 / 8;
  return (c / 32 * pairs + t / 2) * kDepthwisePairS8 + octet % 2 * 32 +
         (octet / 2 * 8 + c % 8) * 2 + t % 2;
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
