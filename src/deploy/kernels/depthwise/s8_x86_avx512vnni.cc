#include <immintrin.h>

#include "deploy/kernels/depthwise/s8_groups.h"
#include "deploy/kernels/simd/x86_avx512_output_s8.h"

namespace nibble::kernels::avx512vnni {
namespace {

/// The output stage of variant float for the 32 channels from n on, its constants in registers. The
/// bounds are held as in store64.
class PlainOutput {
 public:
  PlainOutput(const OutputS8& out, int64_t n)
      : bias_{octets(out.bias + n), octets(out.bias + n + 8)},
        scale_{octets(out.multiplier + n), octets(out.multiplier + n + 8)},
        hi_(_mm512_set1_ps(static_cast<float>(out.y_max - out.y_zero))),
        y_zero_(_mm512_set1_epi16(static_cast<int16_t>(out.y_zero))),
        y_min_(_mm512_set1_epi16(static_cast<int16_t>(out.y_min))) {}

  __m256i operator()(const __m512i (&sums)[2]) const {
    const __m512i y = _mm512_packs_epi32(scaled(sums[0], 0), scaled(sums[1], 1));
    // Fours of channels 0, 2, 1, 3 in each half: packing works within 128-bit lanes.
    return _mm256_shuffle_epi32(
        _mm512_cvtsepi16_epi8(_mm512_max_epi16(_mm512_adds_epi16(y, y_zero_), y_min_)), 0xd8);
  }

 private:
  __m512i scaled(__m512i sum, int half) const {
    const __m512 acc = _mm512_cvtepi32_ps(_mm512_add_epi32(sum, bias_[half]));
    return _mm512_cvtps_epi32(
        _mm512_min_ps(_mm512_mul_ps(acc, _mm512_castsi512_ps(scale_[half])), hi_));
  }

  /// Elements 0..7 and 16..23.
  template <class T>
  static __m512i octets(const T* p) {
    const auto load = [&](int64_t i) {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + i));
    };
    return _mm512_inserti64x4(_mm512_castsi256_si512(load(0)), load(16), 1);
  }

  __m512i bias_[2], scale_[2];
  __m512 hi_;
  __m512i y_zero_, y_min_;
};

/// Sums come in two halves: channels 0..7 and 16..23, 8..15 and 24..31.
struct Lanes {
  using Vector = __m512i;
  static constexpr int64_t kChannels = 32;
  struct All {
    __m256i load(const int8_t* p) const {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    }
    void store(int8_t* p, __m256i v) const {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
    }
  };
  struct Below {
    int64_t left;
    __mmask32 mask() const { return (1u << left) - 1; }
    __m256i load(const int8_t* p) const { return _mm256_maskz_loadu_epi8(mask(), p); }
    void store(int8_t* p, __m256i v) const { _mm256_mask_storeu_epi8(p, mask(), v); }
  };

  static Vector zero() { return _mm512_setzero_si512(); }
  template <class Some>
  static __m256i load(const int8_t* p, Some some) {
    return some.load(p);
  }
  static Vector low(__m256i a, __m256i b) {
    return _mm512_cvtepi8_epi16(_mm256_unpacklo_epi8(a, b));
  }
  static Vector high(__m256i a, __m256i b) {
    return _mm512_cvtepi8_epi16(_mm256_unpackhi_epi8(a, b));
  }
  static Vector dot(Vector acc, Vector x, const int16_t* w) {
    return _mm512_dpwssd_epi32(acc, x, _mm512_loadu_si512(w));
  }

  using PlainOutput = avx512vnni::PlainOutput;
  static __m256i codes(const OutputS8& out, int64_t n, const Vector (&sums)[2]) {
    const __m512i y0 = _mm512_inserti64x4(sums[0], _mm512_castsi512_si256(sums[1]), 1);
    const __m512i y1 = _mm512_shuffle_i64x2(sums[0], sums[1], 0xee);
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm512_cvtepi32_epi8(OutputAvx512(out, n)(y0))),
        _mm512_cvtepi32_epi8(OutputAvx512(out, n + 16)(y1)), 1);
  }
  template <class Some>
  static void store(int8_t* p, __m256i codes, Some some) {
    some.store(p, codes);
  }
};

}  // namespace

void depthwise_s8(const DepthwiseS8& p, const Tap<int8_t>* taps, int64_t outputs, int8_t* out,
                  int64_t out_step) {
  s8_groups<Lanes>(p, taps, outputs, out, out_step);
}

}  // namespace nibble::kernels::avx512vnni
