#include <immintrin.h>

#include "deploy/kernels/depthwise/depthwise.h"
#include "deploy/kernels/simd/unroll.h"
#include "deploy/kernels/simd/x86_avx512_output_s8.h"

namespace nibble::kernels::avx512vnni {
namespace {

/// 32 channels from c on of kPixels pixels; `mask`: the channels that exist.
template <int kPixels, bool kWhole>
void block(const DepthwiseS8& p, const int8_t* const* taps, int64_t step, int64_t first, int64_t c,
           __mmask32 mask, int8_t* out) {
  __m512i acc[kPixels][2];
  NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) acc[i][0] = acc[i][1] = _mm512_setzero_si512();
  const int16_t* w = p.weights + c * p.pairs * 2;
  const auto load = [&](const int8_t* x) {
    return _mm512_cvtepi8_epi16(kWhole ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x))
                                       : _mm256_maskz_loadu_epi8(mask, x));
  };
  const int64_t offset = first * step + c;
  for (int64_t t = 0; t < p.pairs; ++t, w += kDepthwisePairS8) {
    const int8_t *x0 = taps[2 * t] + offset, *x1 = taps[2 * t + 1] + offset;
    const __m512i w0 = _mm512_loadu_si512(w), w1 = _mm512_loadu_si512(w + 32);
    NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) {
      const __m512i a = load(x0 + i * step), b = load(x1 + i * step);
      acc[i][0] = _mm512_dpwssd_epi32(acc[i][0], _mm512_unpacklo_epi16(a, b), w0);
      acc[i][1] = _mm512_dpwssd_epi32(acc[i][1], _mm512_unpackhi_epi16(a, b), w1);
    }
  }
  // Halves hold quads 0 2 4 6 and 1 3 5 7 of the channels.
  const __m512i low = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
  const __m512i high =
      _mm512_setr_epi32(8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
  const OutputAvx512 out_low(p.output, c), out_high(p.output, c + 16);
  NIBBLE_UNROLL for (int i = 0; i < kPixels; ++i) {
    const __m128i y0 =
        _mm512_cvtepi32_epi8(out_low(_mm512_permutex2var_epi32(acc[i][0], low, acc[i][1])));
    const __m128i y1 =
        _mm512_cvtepi32_epi8(out_high(_mm512_permutex2var_epi32(acc[i][0], high, acc[i][1])));
    const __m256i y = _mm256_inserti128_si256(_mm256_castsi128_si256(y0), y1, 1);
    int8_t* to = out + (first + i) * p.channels + c;
    if constexpr (kWhole)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), y);
    else
      _mm256_mask_storeu_epi8(to, mask, y);
  }
}

template <int kPixels>
void run(const DepthwiseS8& p, const int8_t* const* taps, int64_t step, int64_t first,
         int8_t* out) {
  int64_t c = 0;
  for (; c + 32 <= p.channels; c += 32)
    block<kPixels, true>(p, taps, step, first, c, 0xffffffff, out);
  if (c < p.channels)
    block<kPixels, false>(p, taps, step, first, c, (1u << (p.channels - c)) - 1, out);
}

}  // namespace

void depthwise_s8(const DepthwiseS8& p, const int8_t* const* taps, int64_t step, int64_t pixels,
                  int8_t* out) {
  int64_t i = 0;
  for (; i + 4 <= pixels; i += 4) run<4>(p, taps, step, i, out);
  for (; i < pixels; ++i) run<1>(p, taps, step, i, out);
}

}  // namespace nibble::kernels::avx512vnni
