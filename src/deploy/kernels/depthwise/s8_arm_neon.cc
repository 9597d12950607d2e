#include "deploy/kernels/depthwise/depthwise.h"
#include "deploy/kernels/simd/arm_neon_output_s8.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels::neon {
namespace {

/// Weights of one tap for 16 channels. Halves hold quads 0 2 and 1 3 of the channels.
struct Tap {
  int16x8_t low, high;  // channels 0..7, 8..15

  Tap(int16x8_t even, int16x8_t odd)
      : low(vreinterpretq_s16_s64(
            vzip1q_s64(vreinterpretq_s64_s16(even), vreinterpretq_s64_s16(odd)))),
        high(vreinterpretq_s16_s64(
            vzip2q_s64(vreinterpretq_s64_s16(even), vreinterpretq_s64_s16(odd)))) {}
};

inline void add_products(int32x4_t (&acc)[4], int8x16_t x, const Tap& w) {
  const int16x8_t low = vmovl_s8(vget_low_s8(x)), high = vmovl_high_s8(x);
  acc[0] = vmlal_s16(acc[0], vget_low_s16(low), vget_low_s16(w.low));
  acc[1] = vmlal_high_s16(acc[1], low, w.low);
  acc[2] = vmlal_s16(acc[2], vget_low_s16(high), vget_low_s16(w.high));
  acc[3] = vmlal_high_s16(acc[3], high, w.high);
}

/// 16 channels from c on of kPixels pixels; unless kWhole, some may be missing.
template <int kPixels, bool kWhole>
void block(const DepthwiseS8& p, const int8_t* const* taps, int64_t step, int64_t first, int64_t c,
           int8_t* out) {
  const int64_t left = kWhole ? 16 : p.channels - c;
  int32x4_t acc[kPixels][4];
  NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) {
    NIBBLE_UNROLL for (int q = 0; q < 4; ++q) acc[i][q] = vdupq_n_s32(0);
  }
  const int16_t* w = p.weights + c / 32 * p.pairs * kDepthwisePairS8 + c % 32;
  const int64_t offset = first * step + c;
  for (int64_t t = 0; t < p.pairs; ++t, w += kDepthwisePairS8) {
    const int16x8x2_t even = vld2q_s16(w), odd = vld2q_s16(w + 32);
    NIBBLE_UNROLL for (int j = 0; j < 2; ++j) {
      const Tap tap(even.val[j], odd.val[j]);
      const int8_t* x = taps[2 * t + j] + offset;
      NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i)
          add_products(acc[i], load_codes(x + i * step, left), tap);
    }
  }
  const OutputNeon output[4] = {OutputNeon(p.output, c), OutputNeon(p.output, c + 4),
                                OutputNeon(p.output, c + 8), OutputNeon(p.output, c + 12)};
  NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) {
    const int8x16_t y = pack_codes(output[0](acc[i][0]), output[1](acc[i][1]), output[2](acc[i][2]),
                                   output[3](acc[i][3]));
    store_codes(out + (first + i) * p.channels + c, y, left);
  }
}

template <int kPixels>
void run(const DepthwiseS8& p, const int8_t* const* taps, int64_t step, int64_t first,
         int8_t* out) {
  int64_t c = 0;
  for (; c + 16 <= p.channels; c += 16) block<kPixels, true>(p, taps, step, first, c, out);
  if (c < p.channels) block<kPixels, false>(p, taps, step, first, c, out);
}

}  // namespace

void depthwise_s8(const DepthwiseS8& p, const int8_t* const* taps, int64_t step, int64_t pixels,
                  int8_t* out) {
  int64_t i = 0;
  for (; i + 2 <= pixels; i += 2) run<2>(p, taps, step, i, out);
  for (; i < pixels; ++i) run<1>(p, taps, step, i, out);
}

}  // namespace nibble::kernels::neon
