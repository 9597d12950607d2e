#include <immintrin.h>

#include "deploy/kernels/depthwise/f32_groups.h"

namespace nibble::kernels::avx2 {
namespace {

struct Lanes {
  using Vector = __m256;
  static constexpr int64_t kLanes = 8;
  struct All {};
  struct Below {
    int64_t count;
    __m256i mask;
  };
  static Below below(int64_t count) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return {count, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lanes)};
  }

  static Vector splat(float v) { return _mm256_set1_ps(v); }
  static Vector load(const float* p, All = {}) { return _mm256_loadu_ps(p); }
  static Vector load(const float* p, Below some) { return _mm256_maskload_ps(p, some.mask); }
  static void store(float* p, Vector v, All) { _mm256_storeu_ps(p, v); }
  /// By elements: a masked store takes dozens of cycles on some processors.
  static void store(float* p, Vector v, Below some) {
    alignas(32) float values[8];
    _mm256_store_ps(values, v);
    for (int64_t i = 0; i < some.count; ++i) p[i] = values[i];
  }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  /// max and min return their second operand where one is NaN: it passes.
  static Vector clip(Vector v, Vector lo, Vector hi) {
    return _mm256_min_ps(hi, _mm256_max_ps(lo, v));
  }
};

}  // namespace

void depthwise_f32(const DepthwiseF32& p, const Tap<float>* taps, int64_t outputs, float* out,
                   int64_t out_step) {
  f32_groups<Lanes>(p, taps, outputs, out, out_step);
}

}  // namespace nibble::kernels::avx2
