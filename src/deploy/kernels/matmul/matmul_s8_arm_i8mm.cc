// Blocks by products of 2 x 8 and 8 x 2 matrices: two rows by two channels a register of sums.
// Single rows by dot products.
#include "deploy/kernels/matmul/matmul_s8_arm_dot.h"
#include "deploy/kernels/matmul/matmul_s8_arm_real.h"

namespace nibble::kernels::i8mm {
namespace {

template <int kBits>
struct Dot {
  static constexpr int kOffset = 0;

  static int32x4_t add(int32x4_t sum, int32x4_t u, int8x16_t x) {
    return vusdotq_s32(sum, vreinterpretq_u8_s32(u), x);
  }
};
template <int kBits>
using Sums = DotSums<Dot<kBits>>;

/// Eight or four (then zeros) codes each of two rows.
template <int kQuads>
inline int8x16_t row_pair(const int8_t* a, const int8_t* b) {
  uint64_t both[2] = {0, 0};
  __builtin_memcpy(&both[0], a, 4 * kQuads);
  __builtin_memcpy(&both[1], b, 4 * kQuads);
  return vreinterpretq_s8_u64(vcombine_u64(vcreate_u64(both[0]), vcreate_u64(both[1])));
}

/// kPairs pairs of rows by the 16 channels of tile t. Of the rows `valid` exist.
template <int kPairs>
void tile(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
          const int32_t* row_sums, int64_t valid, int8_t* out, int64_t stride, int t, int64_t row) {
  const uint8_t* first = block.b + t / 2 * block.panel_bytes + t % 2 * kTileBytesS8;
  const int8_t* from[2 * kPairs];
  NIBBLE_UNROLL for (int m = 0; m < 2 * kPairs; ++m) from[m] = rows[m < valid ? m : valid - 1];
  // Channels c = 2 v and c + 1 by the rows r and r + 1 of a pair: (c, r) (c, r + 1) (c + 1, r) ...
  int32x4_t acc[kPairs][8];
  NIBBLE_UNROLL for (int m = 0; m < kPairs; ++m) {
    NIBBLE_UNROLL for (int v = 0; v < 8; ++v) acc[m][v] = vdupq_n_s32(0);
  }
  for_each_run(
      p, block, [&](int64_t offset, int64_t k, int64_t quads) __attribute__((always_inline)) {
        const uint8_t* b = first + k / kStepS8 * block.step_bytes + k % kStepS8 * kTileS8;
        const auto step = [&]<int kQuads>(int64_t at) __attribute__((always_inline)) {
          int8x16_t x[kPairs];
          NIBBLE_UNROLL for (int m = 0; m < kPairs; ++m) x[m] =
              row_pair<kQuads>(from[2 * m] + offset + at, from[2 * m + 1] + offset + at);
          NIBBLE_UNROLL for (int v = 0; v < 4; ++v) {
            // [4 channels][4 k], twice, to [2 channels][8 k], twice.
            const int32x4_t w0 = OpsArm::load(b + 16 * v);
            const int32x4_t w1 = kQuads == 2 ? OpsArm::load(b + 64 + 16 * v) : vdupq_n_s32(0);
            const uint8x16_t low = vreinterpretq_u8_s32(vzip1q_s32(w0, w1));
            const uint8x16_t high = vreinterpretq_u8_s32(vzip2q_s32(w0, w1));
            NIBBLE_UNROLL for (int m = 0; m < kPairs; ++m) {
              acc[m][2 * v] = vusmmlaq_s32(acc[m][2 * v], low, x[m]);
              acc[m][2 * v + 1] = vusmmlaq_s32(acc[m][2 * v + 1], high, x[m]);
            }
            hold_loads();
          }
          b += 64 * kQuads;
        };
        int64_t j = 0;
        for (; j + 2 <= quads; j += 2) step.template operator()<2>(4 * j);
        if (j < quads) step.template operator()<1>(4 * j);
      });
  alignas(64) int32_t sums[2 * kPairs][kTileS8];
  NIBBLE_UNROLL for (int m = 0; m < 2 * kPairs; ++m) {
    NIBBLE_UNROLL for (int v = 0; v < 4; ++v) {
      const int32x4_t c0 = acc[m / 2][2 * v], c2 = acc[m / 2][2 * v + 1];
      vst1q_s32(sums[m] + 4 * v, m % 2 == 0 ? vuzp1q_s32(c0, c2) : vuzp2q_s32(c0, c2));
    }
  }
  finish_tile<output_tile_neon>(p, block, t, row, valid < 2 * kPairs ? valid : 2 * kPairs, sums[0],
                                kTileS8, row_sums, out + row * stride, stride);
}

void block(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
           const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride) {
  for (int t = 0; t < block.tiles; ++t) {
    int64_t i = 0;
    const auto run = [&]<int kPairs>() {
      tile<kPairs>(p, block, rows + i, row_sums + i, m - i, out, stride, t, i);
      i += 2 * kPairs;
    };
    while (m - i > 4) run.template operator()<3>();
    if (m - i > 2) run.template operator()<2>();
    if (m - i > 0) run.template operator()<1>();
  }
}

}  // namespace

const MatmulS8Core kMatmulS8 = {
    .block = block,
    .vector = vector_arm<Sums>,
    .unpack = unpack_s8<OpsArm>,
    .sums = sums_s8_arm,
    .dense_rows = false,
    .real = real_panels<RealOpsArm, QuadDotArm<Dot<8>>>,
    .serial_macs = 250e3,
};

}  // namespace nibble::kernels::i8mm
