#include <immintrin.h>

#include "deploy/kernels/depthwise/depthwise.h"
#include "deploy/kernels/simd/unroll.h"
#include "deploy/kernels/simd/x86_avx2_output_s8.h"

namespace nibble::kernels::avx2 {
namespace {

/// 16 codes as int16, the first `left` of which exist.
__m256i load(const int8_t* x, int64_t left) {
  if (left >= 16) return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
  int8_t bytes[16] = {};
  for (int64_t i = 0; i < left; ++i) bytes[i] = x[i];
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

/// 16 channels from c on of kPixels pixels.
template <int kPixels>
void block(const DepthwiseS8& p, const int8_t* const* taps, int64_t step, int64_t first, int64_t c,
           int8_t* out) {
  const int64_t left = p.channels - c;
  __m256i acc[kPixels][2];
  NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) acc[i][0] = acc[i][1] = _mm256_setzero_si256();
  const int16_t* w = p.weights + c / 32 * p.pairs * kDepthwisePairS8 + c % 32;
  const int64_t offset = first * step + c;
  for (int64_t t = 0; t < p.pairs; ++t, w += kDepthwisePairS8) {
    const int8_t *x0 = taps[2 * t] + offset, *x1 = taps[2 * t + 1] + offset;
    const __m256i w0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
    const __m256i w1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + 32));
    NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) {
      const __m256i a = load(x0 + i * step, left), b = load(x1 + i * step, left);
      acc[i][0] = _mm256_add_epi32(acc[i][0], _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), w0));
      acc[i][1] = _mm256_add_epi32(acc[i][1], _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), w1));
    }
  }
  // Halves hold quads 0 2 and 1 3 of the channels.
  const OutputAvx2 out_low(p.output, c), out_high(p.output, c + 8);
  NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) {
    const __m256i low = _mm256_permute2x128_si256(acc[i][0], acc[i][1], 0x20);
    const __m256i high = _mm256_permute2x128_si256(acc[i][0], acc[i][1], 0x31);
    store_codes(out + (first + i) * p.channels + c, pack_codes(out_low(low), out_high(high)), left);
  }
}

template <int kPixels>
void run(const DepthwiseS8& p, const int8_t* const* taps, int64_t step, int64_t first,
         int8_t* out) {
  for (int64_t c = 0; c < p.channels; c += 16) block<kPixels>(p, taps, step, first, c, out);
}

}  // namespace

void depthwise_s8(const DepthwiseS8& p, const int8_t* const* taps, int64_t step, int64_t pixels,
                  int8_t* out) {
  int64_t i = 0;
  for (; i + 2 <= pixels; i += 2) run<2>(p, taps, step, i, out);
  for (; i < pixels; ++i) run<1>(p, taps, step, i, out);
}

}  // namespace nibble::kernels::avx2
