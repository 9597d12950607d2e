#include <immintrin.h>

#include "deploy/kernels/depthwise/depthwise.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels::avx512bw {
namespace {

/// kPixels neighbouring pixels: a weight is loaded once for all of them.
template <int kPixels>
void run(const DepthwiseF32& p, const float* const* taps, int64_t step, int64_t first, float* out) {
  const int64_t padded = (p.channels + 15) / 16 * 16;
  const __m512 lo = _mm512_set1_ps(p.lo), hi = _mm512_set1_ps(p.hi);
  for (int64_t c = 0; c < p.channels; c += 16) {
    const int64_t left = p.channels - c;
    const __mmask16 mask = left >= 16 ? 0xffff : (1u << left) - 1;
    __m512 acc[kPixels];
    const __m512 bias = _mm512_loadu_ps(p.bias + c);
    NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) acc[i] = bias;
    const float* w = p.weights + c;
    for (int64_t t = 0; t < p.taps; ++t, w += padded) {
      const float* x = taps[t] + first * step + c;
      const __m512 weight = _mm512_loadu_ps(w);
      NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) acc[i] =
          _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, x + i * step), weight, acc[i]);
    }
    // max and min return their second operand where one is NaN: it passes the clip.
    NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) _mm512_mask_storeu_ps(
        out + (first + i) * p.channels + c, mask, _mm512_min_ps(hi, _mm512_max_ps(lo, acc[i])));
  }
}

}  // namespace

void depthwise_f32(const DepthwiseF32& p, const float* const* taps, int64_t step, int64_t pixels,
                   float* out) {
  int64_t i = 0;
  for (; i + 4 <= pixels; i += 4) run<4>(p, taps, step, i, out);
  for (; i < pixels; ++i) run<1>(p, taps, step, i, out);
}

}  // namespace nibble::kernels::avx512bw
