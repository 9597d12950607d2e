// What the ARM cores of the integer products share: registers, the end of a tile, single rows.
// Included by ISA files; internal linkage.
#pragma once

#include "deploy/kernels/matmul/codes_s8.h"
#include "deploy/kernels/matmul/finish_s8.h"
#include "deploy/kernels/simd/arm_neon_output_s8.h"

namespace nibble::kernels {
namespace {

/// The registers that codes_s8() works on.
struct OpsArm {
  using V = int32x4_t;

  static V load(const void* p) { return vld1q_s32(static_cast<const int32_t*>(p)); }
  static void store(void* p, V v) { vst1q_s32(static_cast<int32_t*>(p), v); }
  static V shift_right(V v, int by) {
    return vreinterpretq_s32_u16(vreinterpretq_u16_s32(v) >> static_cast<uint16_t>(by));
  }
  static V shift_left(V v, int by) {
    return vreinterpretq_s32_u16(vreinterpretq_u16_s32(v) << static_cast<uint16_t>(by));
  }
  static V mask(V v, int byte) {
    return vandq_s32(v, vreinterpretq_s32_u8(vdupq_n_u8(uint8_t(byte))));
  }
  static V join(V a, V b) { return vorrq_s32(a, b); }
};

/// The codes u as signed bytes; all but 8-bit ones are below 128, those are taken as u - 128.
template <bool kCentred>
inline int8x16_t signed_codes(int32x4_t u) {
  const int8x16_t bytes = vreinterpretq_s8_s32(u);
  return kCentred ? veorq_s8(bytes, vdupq_n_s8(-128)) : bytes;
}

/// The same four codes of a row in every lane.
inline int8x16_t broadcast4(const int8_t* a) {
  int32_t four;
  __builtin_memcpy(&four, a, 4);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

/// Loads are not moved across it: what the compiler would hoist, it would have to spill. Sums whose
/// address is taken would live in memory because of it.
inline __attribute__((always_inline)) void hold_loads() {
  __asm__ volatile("" : : : "memory");
}

/// One row by a panel of kTiles tiles, codes unpacked in registers. `Sums`: those of a tile of
/// kBits-bit codes; `add` takes kChain quads of four channels at once, kOffset is what it takes off
/// every code.
template <class Sums, int kBits, int kTiles>
void vector_panel(const MatmulS8& p, const std::byte* stream, const int8_t* a, int32_t row_sum,
                  int8_t* out, const int8_t* residual, int64_t n) {
  constexpr int kTileBytes = kTileBytesS8 / 8 * kBits, kChain = Sums::kChain;
  Sums acc[kTiles] = {};
  for (int64_t k = 0; k < p.k_padded; k += kStepS8, stream += kTiles * kTileBytes) {
    NIBBLE_UNROLL for (int z = 0; z < 16; z += kChain) {
      int8x16_t x[kChain];
      int32x4_t u[kChain];
      NIBBLE_UNROLL for (int i = 0; i < kChain; ++i) x[i] = broadcast4(a + k + 4 * (z + i));
      NIBBLE_UNROLL for (int t = 0; t < kTiles; ++t) {
        NIBBLE_UNROLL for (int v = 0; v < 4; ++v) {
          NIBBLE_UNROLL for (int i = 0; i < kChain; ++i) u[i] =
              codes_s8<kBits, OpsArm>(stream + t * kTileBytes, z + i, 16 * v);
          acc[t].add(v, u, x);
          hold_loads();
        }
      }
    }
  }
  NIBBLE_UNROLL for (int t = 0; t < kTiles; ++t) {
    const int64_t at = n + t * kTileS8;
    if (at >= p.n) continue;
    int32x4_t total[4];
    acc[t].total(total);
    const int32x4_t offset = vmulq_n_s32(vdupq_n_s32(row_sum), Sums::kOffset);
    alignas(64) int32_t sums[kTileS8];
    NIBBLE_UNROLL for (int v = 0; v < 4; ++v) vst1q_s32(sums + 4 * v, vaddq_s32(total[v], offset));
    finish_row<output_tile_neon>(p, at, sums, row_sum, residual, out);
  }
}

/// VectorCoreS8.
template <template <int> class Sums>
void vector_arm(const MatmulS8& p, const int8_t* a, int32_t row_sum, int8_t* out,
                const int8_t* residual, int64_t panel_begin, int64_t panel_end) {
  with_bits(p.bits, [&]<int kBits>() {
    for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
      const int64_t n = panel * kPanelS8;
      const std::byte* stream = p.b + n * p.k_padded / 8 * kBits;
      const auto run = p.n_padded - n >= kPanelS8 ? vector_panel<Sums<kBits>, kBits, 2>
                                                  : vector_panel<Sums<kBits>, kBits, 1>;
      run(p, stream, a, row_sum, out, residual, n);
    }
  });
}

/// SumsS8Core.
inline void sums_s8_arm(const int8_t* a, int64_t rows, int64_t k, int32_t* sums) {
  for (int64_t i = 0; i < rows; ++i, a += k) {
    int32x4_t sum = vdupq_n_s32(0);
    int64_t j = 0;
    for (; j + 16 <= k; j += 16) sum = vpadalq_s16(sum, vpaddlq_s8(vld1q_s8(a + j)));
    auto total = static_cast<uint32_t>(vaddvq_s32(sum));  // wraps around, as in the reference
    for (; j < k; ++j) total += static_cast<uint32_t>(a[j]);
    sums[i] = static_cast<int32_t>(total);
  }
}

}  // namespace
}  // namespace nibble::kernels
