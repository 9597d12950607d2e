#include <immintrin.h>

#include "deploy/kernels/depthwise/s8_groups.h"
#include "deploy/kernels/simd/x86_avx2_output_s8.h"
#include "deploy/kernels/simd/x86_keep_order.h"

namespace nibble::kernels::avx2 {
namespace {

/// The output stage of variant float for the 16 channels from n on, its constants in registers. The
/// upper bound is held in binary32, the lower one by saturation and a later maximum: what is below
/// int32 becomes its minimum.
class PlainOutput {
 public:
  PlainOutput(const OutputS8& out, int64_t n)
      : bias_{constants(out.bias + n), constants(out.bias + n + 8)},
        scale_{constants(out.multiplier + n), constants(out.multiplier + n + 8)},
        hi_(_mm256_set1_ps(static_cast<float>(out.y_max - out.y_zero))),
        y_zero_(_mm256_set1_epi16(static_cast<int16_t>(out.y_zero))),
        y_min_(_mm256_set1_epi16(static_cast<int16_t>(out.y_min))) {}

  __m128i operator()(const __m256i (&sums)[2]) const {
    __m256i y = _mm256_packs_epi32(scaled(sums[0], 0), scaled(sums[1], 1));
    return pack_pairs(_mm256_max_epi16(_mm256_adds_epi16(y, y_zero_), y_min_));
  }

 private:
  __m256i scaled(__m256i sum, int half) const {
    const __m256 acc = _mm256_cvtepi32_ps(_mm256_add_epi32(sum, bias_[half]));
    return _mm256_cvtps_epi32(
        _mm256_min_ps(_mm256_mul_ps(acc, _mm256_castsi256_ps(scale_[half])), hi_));
  }

  static __m256i constants(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
  }

  __m256i bias_[2], scale_[2];
  __m256 hi_;
  __m256i y_zero_, y_min_;
};

/// Out of line: tails are rare and their code is large.
__attribute__((noinline)) __m128i load_tail(const int8_t* p, int64_t left) {
  return load_codes(p, left);
}
__attribute__((noinline)) void store_tail(int8_t* p, __m128i codes, int64_t left) {
  store_codes(p, codes, left);
}

struct Lanes {
  using Vector = __m256i;
  static constexpr int64_t kChannels = 16;
  struct All {
    operator int64_t() const { return kChannels; }
  };
  struct Below {
    int64_t left;
    operator int64_t() const { return left; }
  };

  static Vector zero() { return _mm256_setzero_si256(); }
  static __m128i load(const int8_t* p, All all) { return load_codes(p, all); }
  static __m128i load(const int8_t* p, Below some) { return load_tail(p, some.left); }
  /// Channels 0..7 and 8..15 of two taps.
  static Vector low(__m128i a, __m128i b) { return _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b)); }
  static Vector high(__m128i a, __m128i b) { return _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(a, b)); }
  static Vector dot(Vector acc, Vector x, const int16_t* w) {
    const __m256i weights = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(x, weights));
    keep_order(acc);
    return acc;
  }

  using PlainOutput = avx2::PlainOutput;
  static __m128i codes(const OutputS8& out, int64_t n, const Vector (&sums)[2]) {
    return pack_codes(OutputAvx2(out, n)(sums[0]), OutputAvx2(out, n + 8)(sums[1]));
  }
  static void store(int8_t* p, __m128i codes, All all) { store_codes(p, codes, all); }
  static void store(int8_t* p, __m128i codes, Below some) { store_tail(p, codes, some.left); }
};

}  // namespace

void depthwise_s8(const DepthwiseS8& p, const Tap<int8_t>* taps, int64_t outputs, int8_t* out,
                  int64_t out_step) {
  s8_groups<Lanes>(p, taps, outputs, out, out_step);
}

}  // namespace nibble::kernels::avx2
