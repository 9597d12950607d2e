// Without a dot-product instruction: 8-bit products in int16, chains of them as long as an int16
// holds, each chain added by pairs to int32 sums. A register of sums is two channels by two halves
// of four k.
#include "deploy/kernels/matmul/matmul_s8_arm.h"
#include "deploy/kernels/matmul/matmul_s8_arm_real.h"

namespace nibble::kernels::neon {
namespace {

/// Products that an int16 holds: 4, 2 or 1. 8-bit codes are taken as u - 128.
constexpr int chain_of(int bits, int32_t a_max) {
  const int32_t w_max = bits == 8 ? 128 : (1 << bits) - 1, room = 32767 / (w_max * a_max);
  return room >= 4 ? 4 : room >= 2 ? 2 : 1;
}

/// Adds the products of kChain vectors of [4 channels][4 k].
template <int kChain>
inline void add_chain(int32x4_t& low, int32x4_t& high, const int8x16_t (&w)[kChain],
                      const int8x16_t (&x)[kChain]) {
  int16x8_t l = vmull_s8(vget_low_s8(w[0]), vget_low_s8(x[0])), h = vmull_high_s8(w[0], x[0]);
  NIBBLE_UNROLL for (int i = 1; i < kChain; ++i) {
    l = vmlal_s8(l, vget_low_s8(w[i]), vget_low_s8(x[i]));
    h = vmlal_high_s8(h, w[i], x[i]);
  }
  low = vpadalq_s16(low, l);
  high = vpadalq_s16(high, h);
}

/// kRows rows by the 16 channels of tile t. Of the rows `valid` exist.
template <int kRows, int kChain, bool kCentred>
void tile(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
          const int32_t* row_sums, int64_t valid, int8_t* out, int64_t stride, int t, int64_t row) {
  const uint8_t* first = block.b + t / 2 * block.panel_bytes + t % 2 * kTileBytesS8;
  const int8_t* from[kRows];
  int32x4_t acc[kRows][8];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    from[m] = rows[m < valid ? m : valid - 1];
    NIBBLE_UNROLL for (int v = 0; v < 8; ++v) acc[m][v] = vdupq_n_s32(0);
  }
  for_each_run(
      p, block, [&](int64_t offset, int64_t k, int64_t quads) __attribute__((always_inline)) {
        const uint8_t* b = first + k / kStepS8 * block.step_bytes + k % kStepS8 * kTileS8;
        const int8_t* a[kRows];
        NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] = from[m] + offset;
        const auto chain = [&]<int kLength>() __attribute__((always_inline)) {
          int8x16_t x[kRows][kLength];
          NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
            NIBBLE_UNROLL for (int i = 0; i < kLength; ++i) x[m][i] = broadcast4(a[m] + 4 * i);
            a[m] += 4 * kLength;
          }
          NIBBLE_UNROLL for (int v = 0; v < 4; ++v) {
            int8x16_t w[kLength];
            NIBBLE_UNROLL for (int i = 0; i < kLength; ++i) w[i] =
                signed_codes<kCentred>(OpsArm::load(b + 64 * i + 16 * v));
            NIBBLE_UNROLL for (int m = 0; m < kRows; ++m)
                add_chain(acc[m][2 * v], acc[m][2 * v + 1], w, x[m]);
            hold_loads();
          }
          b += 64 * kLength;
        };
        for (; quads >= kChain; quads -= kChain) chain.template operator()<kChain>();
        if constexpr (kChain > 1)
          for (; quads > 0; --quads) chain.template operator()<1>();
      });
  alignas(64) int32_t sums[kRows][kTileS8];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    NIBBLE_UNROLL for (int v = 0; v < 4; ++v)
        vst1q_s32(sums[m] + 4 * v, vpaddq_s32(acc[m][2 * v], acc[m][2 * v + 1]));
  }
  finish_tile<output_tile_neon>(p, block, t, row, valid < kRows ? valid : kRows, sums[0], kTileS8,
                                row_sums, out + row * stride, stride, kCentred ? 128 : 0);
}

template <int kChain, bool kCentred>
void tiles(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
           const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride) {
  for (int t = 0; t < block.tiles; ++t) {
    int64_t i = 0;
    for (; m - i > 1; i += 2)
      tile<2, kChain, kCentred>(p, block, rows + i, row_sums + i, m - i, out, stride, t, i);
    if (m > i) tile<1, kChain, kCentred>(p, block, rows + i, row_sums + i, 1, out, stride, t, i);
  }
}

void block(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
           const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride) {
  const int chain = chain_of(p.bits, p.a_max);
  const auto run = p.bits == 8 ? (chain > 1 ? tiles<2, true> : tiles<1, true>)
                               : (chain > 2 ? tiles<4, false> : tiles<2, false>);
  run(p, block, rows, row_sums, m, out, stride);
}

/// Those of vector_panel.
template <int kBits>
struct Sums {
  static constexpr int kChain = chain_of(kBits, 128), kOffset = kBits == 8 ? 128 : 0;

  int32x4_t acc[8];

  void add(int v, const int32x4_t (&u)[kChain], const int8x16_t (&x)[kChain]) {
    int8x16_t w[kChain];
    NIBBLE_UNROLL for (int i = 0; i < kChain; ++i) w[i] = signed_codes<kBits == 8>(u[i]);
    add_chain(acc[2 * v], acc[2 * v + 1], w, x);
  }
  void total(int32x4_t (&sums)[4]) const {
    NIBBLE_UNROLL for (int v = 0; v < 4; ++v) sums[v] = vpaddq_s32(acc[2 * v], acc[2 * v + 1]);
  }
};

/// Products of codes below 7 bits, added in int16 while they fit.
struct QuadChain {
  struct Acc {
    int16x8_t low, high;
  };
  using Row = RowArm;
  static constexpr int kRows = 2, kChains = 1;
  static constexpr int32_t kOffset = 0;
  static int64_t room(int bits) { return 32767 / (int64_t{(1 << bits) - 1} * 128); }
  static Acc add(Acc acc, int32x4_t u, const Row& row) {
    const int8x16_t w = signed_codes<false>(u);
    return {vmlal_s8(acc.low, vget_low_s8(w), vget_low_s8(row.x)),
            vmlal_high_s8(acc.high, w, row.x)};
  }
  static int32x4_t take(Acc acc) { return vpaddq_s32(vpaddlq_s16(acc.low), vpaddlq_s16(acc.high)); }
};

/// Pairs of products added to int32.
template <bool kCentred>
struct QuadPairs {
  struct Acc {
    int32x4_t low, high;
  };
  using Row = RowArm;
  static constexpr int kRows = 2, kChains = 1;
  static constexpr int32_t kOffset = kCentred ? 128 : 0;
  static int64_t room(int) { return INT64_MAX; }
  static Acc add(Acc acc, int32x4_t u, const Row& row) {
    const int8x16_t w[1] = {signed_codes<kCentred>(u)}, x[1] = {row.x};
    add_chain(acc.low, acc.high, w, x);
    return acc;
  }
  static int32x4_t take(Acc acc) { return vpaddq_s32(acc.low, acc.high); }
};

void real(const MatmulRealS8& p, const int8_t* a, const int32_t* sums, const float* row_scales,
          int64_t m, float* out, int64_t panel_begin, int64_t panel_end) {
  const auto run = p.bits == 8   ? real_panels<RealOpsArm, QuadPairs<true>>
                   : p.bits == 7 ? real_panels<RealOpsArm, QuadPairs<false>>
                                 : real_panels<RealOpsArm, QuadChain>;
  run(p, a, sums, row_scales, m, out, panel_begin, panel_end);
}

}  // namespace

const MatmulS8Core kMatmulS8 = {
    .block = block,
    .vector = vector_arm<Sums>,
    .unpack = unpack_s8<OpsArm>,
    .sums = sums_s8_arm,
    .dense_rows = false,
    .real = real,
    .serial_macs = 50e3,
};

}  // namespace nibble::kernels::neon
