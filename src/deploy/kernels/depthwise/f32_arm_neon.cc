#include "deploy/kernels/depthwise/f32_groups.h"
#include "deploy/kernels/simd/arm_neon_f32.h"

namespace nibble::kernels::neon {
namespace {

struct Lanes {
  using Vector = float32x4_t;
  static constexpr int64_t kLanes = 4;
  struct All {};
  static int64_t below(int64_t count) { return count; }

  static Vector splat(float v) { return vdupq_n_f32(v); }
  static Vector load(const float* p, All = {}) { return vld1q_f32(p); }
  static Vector load(const float* p, int64_t some) { return load_some(p, some); }
  static void store(float* p, Vector v, All) { vst1q_f32(p, v); }
  static void store(float* p, Vector v, int64_t some) { store_some(p, v, some); }
  static Vector fma(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
  static Vector clip(Vector v, Vector lo, Vector hi) { return kernels::clip(v, lo, hi); }
};

}  // namespace

void depthwise_f32(const DepthwiseF32& p, const Tap<float>* taps, int64_t outputs, float* out,
                   int64_t out_step) {
  f32_groups<Lanes>(p, taps, outputs, out, out_step);
}

}  // namespace nibble::kernels::neon
