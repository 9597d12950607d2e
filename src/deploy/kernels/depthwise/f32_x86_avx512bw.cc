#include <immintrin.h>

#include "deploy/kernels/depthwise/f32_groups.h"

namespace nibble::kernels::avx512bw {
namespace {

struct Lanes {
  using Vector = __m512;
  static constexpr int64_t kLanes = 16;
  struct All {};
  struct Below {
    __mmask16 mask;
  };
  static Below below(int64_t count) { return {static_cast<__mmask16>((1 << count) - 1)}; }

  static Vector splat(float v) { return _mm512_set1_ps(v); }
  static Vector load(const float* p, All = {}) { return _mm512_loadu_ps(p); }
  static Vector load(const float* p, Below some) { return _mm512_maskz_loadu_ps(some.mask, p); }
  static void store(float* p, Vector v, All) { _mm512_storeu_ps(p, v); }
  static void store(float* p, Vector v, Below some) { _mm512_mask_storeu_ps(p, some.mask, v); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  /// max and min return their second operand where one is NaN: it passes.
  static Vector clip(Vector v, Vector lo, Vector hi) {
    return _mm512_min_ps(hi, _mm512_max_ps(lo, v));
  }
};

}  // namespace

void depthwise_f32(const DepthwiseF32& p, const Tap<float>* taps, int64_t outputs, float* out,
                   int64_t out_step) {
  f32_groups<Lanes>(p, taps, outputs, out, out_step);
}

}  // namespace nibble::kernels::avx512bw
