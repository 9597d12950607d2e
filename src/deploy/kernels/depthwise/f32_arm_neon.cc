#include "deploy/kernels/depthwise/depthwise.h"
#include "deploy/kernels/simd/arm_neon_f32.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels::neon {
namespace {

/// kVectors vectors of channels from c on of kPixels neighbouring pixels: a weight is loaded once
/// for all of them. Only a block of one vector may reach beyond the channels.
template <int kPixels, int kVectors>
void block(const DepthwiseF32& p, const float* const* taps, int64_t step, int64_t first, int64_t c,
           float* out) {
  const int64_t padded = (p.channels + 15) / 16 * 16, left = kVectors > 1 ? 4 : p.channels - c;
  float32x4_t acc[kPixels][kVectors];
  NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
    const float32x4_t bias = vld1q_f32(p.bias + c + 4 * v);
    NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) acc[i][v] = bias;
  }
  const float* w = p.weights + c;
  for (int64_t t = 0; t < p.taps; ++t, w += padded) {
    const float* x = taps[t] + first * step + c;
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
      const float32x4_t weight = vld1q_f32(w + 4 * v);
      NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) acc[i][v] =
          vfmaq_f32(acc[i][v], load_some(x + i * step + 4 * v, left), weight);
    }
  }
  const float32x4_t lo = vdupq_n_f32(p.lo), hi = vdupq_n_f32(p.hi);
  NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) {
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v)
        store_some(out + (first + i) * p.channels + c + 4 * v, clip(acc[i][v], lo, hi), left);
  }
}

template <int kPixels>
void run(const DepthwiseF32& p, const float* const* taps, int64_t step, int64_t first, float* out) {
  int64_t c = 0;
  for (; c + 8 <= p.channels; c += 8) block<kPixels, 2>(p, taps, step, first, c, out);
  for (; c < p.channels; c += 4) block<kPixels, 1>(p, taps, step, first, c, out);
}

}  // namespace

void depthwise_f32(const DepthwiseF32& p, const float* const* taps, int64_t step, int64_t pixels,
                   float* out) {
  int64_t i = 0;
  for (; i + 4 <= pixels; i += 4) run<4>(p, taps, step, i, out);
  for (; i < pixels; ++i) run<1>(p, taps, step, i, out);
}

}  // namespace nibble::kernels::neon
