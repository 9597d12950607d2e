// Dot products of four signed bytes: 8-bit codes are taken as u - 128.
#include "deploy/kernels/matmul/matmul_s8_arm_dot.h"
#include "deploy/kernels/matmul/matmul_s8_arm_real.h"

namespace nibble::kernels::dotprod {
namespace {

template <int kBits>
struct Dot {
  static constexpr int kOffset = kBits == 8 ? 128 : 0;

  static int32x4_t add(int32x4_t sum, int32x4_t u, int8x16_t x) {
    return vdotq_s32(sum, signed_codes<kBits == 8>(u), x);
  }
};
template <int kBits>
using Sums = DotSums<Dot<kBits>>;

/// kRows rows by the 16 channels of tile t. Of the rows `valid` exist.
template <int kRows, bool kCentred>
void tile(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
          const int32_t* row_sums, int64_t valid, int8_t* out, int64_t stride, int t, int64_t row) {
  const uint8_t* first = block.b + t / 2 * block.panel_bytes + t % 2 * kTileBytesS8;
  const int8_t* from[kRows];
  int32x4_t acc[kRows][4];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    from[m] = rows[m < valid ? m : valid - 1];
    NIBBLE_UNROLL for (int v = 0; v < 4; ++v) acc[m][v] = vdupq_n_s32(0);
  }
  for_each_run(
      p, block, [&](int64_t offset, int64_t k, int64_t quads) __attribute__((always_inline)) {
        const uint8_t* b = first + k / kStepS8 * block.step_bytes + k % kStepS8 * kTileS8;
        const int8_t* a[kRows];
        NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] = from[m] + offset;
        for (; quads >= 4; quads -= 4) {
          int8x16_t x[kRows];
          NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) x[m] = vld1q_s8(a[m]), a[m] += 16;
          const auto quad = [&]<int kLane>() __attribute__((always_inline)) {
            NIBBLE_UNROLL for (int v = 0; v < 4; ++v) {
              const int8x16_t w = signed_codes<kCentred>(OpsArm::load(b + 16 * v));
              NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) acc[m][v] =
                  vdotq_laneq_s32(acc[m][v], w, x[m], kLane);
              hold_loads();
            }
            b += 64;
          };
          quad.template operator()<0>();
          quad.template operator()<1>();
          quad.template operator()<2>();
          quad.template operator()<3>();
        }
        for (; quads > 0; --quads, b += 64) {
          NIBBLE_UNROLL for (int v = 0; v < 4; ++v) {
            const int8x16_t w = signed_codes<kCentred>(OpsArm::load(b + 16 * v));
            NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) acc[m][v] =
                vdotq_s32(acc[m][v], w, broadcast4(a[m]));
          }
          NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] += 4;
        }
      });
  alignas(64) int32_t sums[kRows][kTileS8];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    NIBBLE_UNROLL for (int v = 0; v < 4; ++v) vst1q_s32(sums[m] + 4 * v, acc[m][v]);
  }
  finish_tile<output_tile_neon>(p, block, t, row, valid < kRows ? valid : kRows, sums[0], kTileS8,
                                row_sums, out + row * stride, stride, kCentred ? 128 : 0);
}

template <bool kCentred>
void tiles(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
           const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride) {
  for (int t = 0; t < block.tiles; ++t) {
    int64_t i = 0;
    const auto run = [&]<int kRows>() {
      tile<kRows, kCentred>(p, block, rows + i, row_sums + i, m - i, out, stride, t, i);
      i += kRows;
    };
    while (m - i > 2) run.template operator()<4>();
    if (m - i > 0) run.template operator()<2>();
  }
}

void block(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
           const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride) {
  (p.bits == 8 ? tiles<true> : tiles<false>)(p, block, rows, row_sums, m, out, stride);
}

void real(const MatmulRealS8& p, const int8_t* a, const int32_t* sums, const float* row_scales,
          int64_t m, float* out, int64_t panel_begin, int64_t panel_end) {
  const auto run = p.bits == 8 ? real_panels<RealOpsArm, QuadDotArm<Dot<8>>>
                               : real_panels<RealOpsArm, QuadDotArm<Dot<7>>>;
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
    .serial_macs = 150e3,
};

}  // namespace nibble::kernels::dotprod
