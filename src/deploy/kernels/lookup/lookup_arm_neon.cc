#include <arm_neon.h>

#include "deploy/kernels/lookup/lookup_vector.h"
#include "deploy/kernels/simd/arm_neon_output_s8.h"

namespace nibble::kernels::neon {
namespace {

struct Ops {
  using V = uint8x16_t;
  static constexpr auto& output_tile = output_tile_neon;

  /// Code j of a group is added where bit j of a pattern is set.
  template <int kHalves>
  static void tables(const int8_t* a, int64_t bytes, int32_t least, uint8_t* out) {
    constexpr uint16_t kPatterns[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (int64_t g = 0; g < 2 * bytes; ++g) {
      uint16x8_t entries[2];
      for (int half = 0; half < 2; ++half) {
        const uint16x8_t patterns = vld1q_u16(kPatterns + 8 * half);
        entries[half] = vdupq_n_u16(static_cast<uint16_t>(-least));
        for (int j = 0; j < 4; ++j) {
          const uint16x8_t chosen = vtstq_u16(patterns, vdupq_n_u16(uint16_t(1 << j)));
          const uint16x8_t code = vdupq_n_u16(static_cast<uint16_t>(a[4 * g + j]));
          entries[half] = vaddq_u16(entries[half], vandq_u16(chosen, code));
        }
      }
      const auto bytes_of = [](uint16x8_t first, uint16x8_t second) {
        return vmovn_high_u16(vmovn_u16(first), second);
      };
      uint8_t* to = out + g / 2 * 32 * kHalves + g % 2 * 16;
      const V low = bytes_of(entries[0], entries[1]);
      vst1q_u8(to, kHalves == 2 ? vandq_u8(low, vdupq_n_u8(31)) : low);
      if constexpr (kHalves == 2)
        vst1q_u8(to + 32, bytes_of(vshrq_n_u16(entries[0], 5), vshrq_n_u16(entries[1], 5)));
    }
  }

  static V zero() { return vdupq_n_u8(0); }
  static V load(const uint8_t* p) { return vld1q_u8(p); }
  static V table(const uint8_t* p) { return vld1q_u8(p); }
  static V low(V v) { return vandq_u8(v, vdupq_n_u8(15)); }
  static V high(V v) { return vshrq_n_u8(v, 4); }
  static V find(V table, V index) { return vqtbl1q_u8(table, index); }
  /// Nothing saturates; but GCC would balance chains of plain additions, and spill.
  static V add8(V a, V b) { return vqaddq_u8(a, b); }

  static void add16(V (&words)[2], const V (&bytes)[1]) {
    words[0] = widened(words[0], vget_low_u8(bytes[0]));
    words[1] = widened(words[1], vget_high_u8(bytes[0]));
  }
  static void add16(V (&words)[2], const V (&halves)[2]) {
    const uint8x8_t weight = vdup_n_u8(32);
    const auto joined = [&](V word, uint8x8_t low, uint8x8_t high) {
      return vreinterpretq_u8_u16(vmlal_u8(vreinterpretq_u16_u8(widened(word, low)), high, weight));
    };
    words[0] = joined(words[0], vget_low_u8(halves[0]), vget_low_u8(halves[1]));
    words[1] = joined(words[1], vget_high_u8(halves[0]), vget_high_u8(halves[1]));
  }
  static void add32(const V (&words)[2], int shift, int32_t* sums) {
    const auto add = [&](uint16x4_t four, int at) {
      const int32x4_t term = vshlq_s32(vreinterpretq_s32_u32(vmovl_u16(four)), vdupq_n_s32(shift));
      vst1q_s32(sums + at, vaddq_s32(vld1q_s32(sums + at), term));
    };
    for (int half = 0; half < 2; ++half) {
      const uint16x8_t eight = vreinterpretq_u16_u8(words[half]);
      add(vget_low_u16(eight), 8 * half);
      add(vget_high_u16(eight), 8 * half + 4);
    }
  }

 private:
  static V widened(V words, uint8x8_t bytes) {
    return vreinterpretq_u8_u16(vaddw_u8(vreinterpretq_u16_u8(words), bytes));
  }
};

}  // namespace

void lookup_core(const Lookup& p, const LookupTask& task) {
  lookup_vector<Ops>(p, task);
}

}  // namespace nibble::kernels::neon
