#include <immintrin.h>

#include "deploy/kernels/depthwise/depthwise.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels::avx2 {
namespace {

__m256i lanes_below(int64_t left) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(left < 8 ? left : 8)), lanes);
}

/// kPixels neighbouring pixels: a weight is loaded once for all of them.
template <int kPixels>
void run(const DepthwiseF32& p, const float* const* taps, int64_t step, int64_t first, float* out) {
  const int64_t padded = (p.channels + 15) / 16 * 16;
  const __m256 lo = _mm256_set1_ps(p.lo), hi = _mm256_set1_ps(p.hi);
  for (int64_t c = 0; c < p.channels; c += 8) {
    const __m256i mask = lanes_below(p.channels - c);
    __m256 acc[kPixels];
    const __m256 bias = _mm256_loadu_ps(p.bias + c);
    NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) acc[i] = bias;
    const float* w = p.weights + c;
    for (int64_t t = 0; t < p.taps; ++t, w += padded) {
      const float* x = taps[t] + first * step + c;
      const __m256 weight = _mm256_loadu_ps(w);
      NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) acc[i] =
          _mm256_fmadd_ps(_mm256_maskload_ps(x + i * step, mask), weight, acc[i]);
    }
    // max and min return their second operand where one is NaN: it passes the clip.
    NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) _mm256_maskstore_ps(
        out + (first + i) * p.channels + c, mask, _mm256_min_ps(hi, _mm256_max_ps(lo, acc[i])));
  }
}

}  // namespace

void depthwise_f32(const DepthwiseF32& p, const float* const* taps, int64_t step, int64_t pixels,
                   float* out) {
  int64_t i = 0;
  for (; i + 4 <= pixels; i += 4) run<4>(p, taps, step, i, out);
  for (; i < pixels; ++i) run<1>(p, taps, step, i, out);
}

}  // namespace nibble::kernels::avx2
