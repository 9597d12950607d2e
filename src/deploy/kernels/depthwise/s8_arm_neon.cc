#include "deploy/kernels/depthwise/s8_groups.h"
#include "deploy/kernels/simd/arm_neon_output_s8.h"

namespace nibble::kernels::neon {
namespace {

/// Eight channels: their sums, and what two taps see of them.
struct Sums {
  int32x4_t low, high;
};
struct Pair {
  int16x8_t first, second;
};

struct Lanes {
  using Vector = Sums;
  static constexpr int64_t kChannels = 16;
  struct All {
    operator int64_t() const { return kChannels; }
  };
  struct Below {
    int64_t left;
    operator int64_t() const { return left; }
  };

  static Vector zero() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
  template <class Some>
  static int8x16_t load(const int8_t* p, Some some) {
    return load_codes(p, some);
  }
  static Pair low(int8x16_t a, int8x16_t b) {
    return {vmovl_s8(vget_low_s8(a)), vmovl_s8(vget_low_s8(b))};
  }
  static Pair high(int8x16_t a, int8x16_t b) { return {vmovl_high_s8(a), vmovl_high_s8(b)}; }
  static Vector dot(Vector acc, Pair x, const int16_t* w) {
    const int16x8x2_t weights = vld2q_s16(w);
    return add(add(acc, x.first, weights.val[0]), x.second, weights.val[1]);
  }

  class PlainOutput {
   public:
    PlainOutput(const OutputS8& out, int64_t n)
        : quads_{{out, n}, {out, n + 4}, {out, n + 8}, {out, n + 12}} {}
    int8x16_t operator()(const Vector (&sums)[2]) const {
      return pack_codes(quads_[0](sums[0].low), quads_[1](sums[0].high), quads_[2](sums[1].low),
                        quads_[3](sums[1].high));
    }

   private:
    OutputNeon quads_[4];
  };
  static int8x16_t codes(const OutputS8& out, int64_t n, const Vector (&sums)[2]) {
    return PlainOutput(out, n)(sums);
  }
  static void store(int8_t* p, int8x16_t codes, int64_t left) { store_codes(p, codes, left); }

 private:
  static Vector add(Vector acc, int16x8_t x, int16x8_t w) {
    return {vmlal_s16(acc.low, vget_low_s16(x), vget_low_s16(w)), vmlal_high_s16(acc.high, x, w)};
  }
};

}  // namespace

void depthwise_s8(const DepthwiseS8& p, const Tap<int8_t>* taps, int64_t outputs, int8_t* out,
                  int64_t out_step) {
  s8_groups<Lanes>(p, taps, outputs, out, out_step);
}

}  // namespace nibble::kernels::neon
