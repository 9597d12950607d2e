#include "deploy/kernels/bitserial/bitserial_vector.h"
#include "deploy/kernels/simd/arm_neon_output_s8.h"

namespace nibble::kernels::neon {
namespace {

struct Ops {
  using V = uint64x2_t;
  static constexpr auto& output_tile = output_tile_neon;
  static constexpr int kVectors = 8, kRows = 2;
  static constexpr int64_t kRoom = 31;  // bytes of at most 8 each

  static V zero() { return vdupq_n_u64(0); }
  static V load(const uint64_t* p) { return vld1q_u64(p); }
  static V splat64(uint64_t x) { return vdupq_n_u64(x); }
  static V both(V a, V b) { return vandq_u64(a, b); }
  static V add64(V a, V b) { return vaddq_u64(a, b); }
  static V sub64(V a, V b) { return vsubq_u64(a, b); }
  static V shift_left64(V a, int by) { return vshlq_u64(a, vdupq_n_s64(by)); }
  static V add_bits(V counts, V v) {
    const uint8x16_t bits = vcntq_u8(vreinterpretq_u8_u64(v));
    return vreinterpretq_u64_u8(vaddq_u8(vreinterpretq_u8_u64(counts), bits));
  }
  static V to_words(V counts) {
    return vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(vreinterpretq_u8_u64(counts))));
  }
  /// The low halves of 16 lanes of 64 bits, in order.
  static void narrow(const V (&totals)[8], int32_t* sums) {
    NIBBLE_UNROLL for (int h = 0; h < 4; ++h) vst1q_s32(
        sums + 4 * h,
        vuzp1q_s32(vreinterpretq_s32_u64(totals[2 * h]), vreinterpretq_s32_u64(totals[2 * h + 1])));
  }
  /// Each byte keeps the bit of its place among eight; sums of neighbours then join them.
  static uint64_t bits64(const int8_t* p, int bit) {
    const uint8x16_t wanted = vdupq_n_u8(static_cast<uint8_t>(1 << bit));
    const uint8x16_t place = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
    const auto placed = [&](int at) {
      return vandq_u8(vtstq_u8(vreinterpretq_u8_s8(vld1q_s8(p + at)), wanted), place);
    };
    const uint8x16_t low = vpaddq_u8(placed(0), placed(16));
    const uint8x16_t quads = vpaddq_u8(low, vpaddq_u8(placed(32), placed(48)));
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(quads, quads)), 0);
  }
};

}  // namespace

void bitserial(const BitSerial& p, const uint64_t* const* rows, const int32_t* row_sums, int64_t m,
               int8_t* out, const int8_t* residual, int64_t stride, int64_t begin, int64_t end) {
  bitserial_vector<Ops>(p, rows, row_sums, m, out, residual, stride, begin, end);
}

void bit_planes(const int8_t* x, int64_t pixels, int64_t channels, int planes, int64_t plane,
                uint64_t* out) {
  bit_planes_vector<Ops>(x, pixels, channels, planes, plane, out);
}

}  // namespace nibble::kernels::neon
