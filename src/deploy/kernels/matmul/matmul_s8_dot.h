// Integer products on ISAs that add four u8 x s8 products to an int32 lane in one instruction.
// Included by ISA files with `Ops`, the registers of the ISA; internal linkage.
#pragma once

#include "deploy/kernels/matmul/codes_s8.h"
#include "deploy/kernels/matmul/finish_s8.h"

namespace nibble::kernels {
namespace {

/// kRows rows by kTiles tiles of 16 channels, from tile t on, all sums in registers. Of the rows
/// `valid` exist.
template <class Ops, int kRows, int kTiles>
void dot_tile(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
              const int32_t* row_sums, int64_t valid, int8_t* out, int64_t stride, int t,
              int64_t row) {
  using V = typename Ops::V;
  constexpr int kBytes = int(sizeof(V)), kVectors = 64 / kBytes;
  const int8_t* from[kRows];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) from[m] = rows[m < valid ? m : valid - 1];
  const uint8_t* first = block.b + t / 2 * block.panel_bytes + t % 2 * kTileBytesS8;
  int32_t* held = block.sums + row * kBlockChannelsS8 + t * kTileS8;
  // A zero point that all channels share is taken off at the start.
  const bool plain = p.output.same_zero && p.output.sum_shift == 0;
  V acc[kRows][kTiles][kVectors];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    const int32_t row_sum = row_sums[m < valid ? m : valid - 1];
    const V start = Ops::splat32(plain ? minus_product(p.output.w_zero[0], row_sum) : 0);
    NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
      NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) acc[m][q][v] =
          block.first ? start
                      : Ops::load(held + (m < valid ? m : valid - 1) * kBlockChannelsS8 +
                                  q * kTileS8 + v * (kBytes / 4));
    }
  }
  for_each_run(p, block, [&](int64_t offset, int64_t k, int64_t quads) NIBBLE_ALWAYS_INLINE {
    const uint8_t* b = first + k / kStepS8 * block.step_bytes + k % kStepS8 * kTileS8;
    const int8_t* a[kRows];
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] = from[m] + offset;
    for (int64_t j = 0; j < quads; ++j, b += 64) {
      V w[kTiles][kVectors];
      NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
        const uint8_t* tile = b + q / 2 * block.panel_bytes + q % 2 * kTileBytesS8;
        NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) w[q][v] = Ops::load(tile + v * kBytes);
      }
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
        const V x = Ops::broadcast4(a[m] + 4 * j);
        NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
          NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) acc[m][q][v] =
              Ops::dot(acc[m][q][v], w[q][v], x);
        }
      }
    }
  });
  if constexpr (kTiles == 4) {
    if (Ops::kStoresFour && block.last && plain && p.output.multiplier && !block.residual &&
        !p.output.binary) {
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
        if (m < valid) Ops::store_four(p.output, block.n, p.n, acc[m], out + m * stride);
      }
      return;
    }
  }
  alignas(64) int32_t sums[kRows][kTiles][kTileS8];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
      NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v)
          Ops::store(&sums[m][q][v * kBytes / 4], acc[m][q][v]);
    }
  }
  BlockS8 added = block;  // what earlier blocks left is in the sums
  added.first = true;
  for (int q = 0; q < kTiles; ++q)
    finish_tile<Ops::output_tile>(p, added, t + q, row, valid < kRows ? valid : kRows, sums[0][q],
                                  kTiles * kTileS8, plain ? nullptr : row_sums, out, stride);
}

/// All rows by kTiles tiles from t on: kMost rows at a time, then what is left of them.
template <class Ops, int kTiles, int kMost>
void dot_rows(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
              const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride, int t) {
  int64_t i = 0;
  const auto run = [&]<int kRows>() {
    dot_tile<Ops, kRows, kTiles>(p, block, rows + i, row_sums + i, m - i, out + i * stride, stride,
                                 t, i);
    i += kRows;
  };
  while (m - i > kMost * 2 / 3) run.template operator()<kMost>();
  if (m - i > kMost / 3) run.template operator()<kMost * 2 / 3>();
  if (m - i > 0) run.template operator()<kMost / 3>();
}

/// BlockCoreS8.
template <class Ops>
void block_dot(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
               const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride) {
  int t = 0;
  if constexpr (Ops::kTiles == 4) {
    if (block.tiles == 4) return dot_rows<Ops, 4, 6>(p, block, rows, row_sums, m, out, stride, 0);
    for (; t + 2 <= block.tiles; t += 2)
      dot_rows<Ops, 2, 12>(p, block, rows, row_sums, m, out, stride, t);
    if (t < block.tiles) dot_rows<Ops, 1, 12>(p, block, rows, row_sums, m, out, stride, t);
  } else {
    for (; t < block.tiles; ++t) dot_rows<Ops, 1, 6>(p, block, rows, row_sums, m, out, stride, t);
  }
}

/// kPanels panels of kTiles tiles by one row, codes unpacked in registers. Even and odd quads have
/// sums of their own, or the latency of the product would show.
template <class Ops, int kBits, int kPanels, int kTiles>
void vector_panels(const MatmulS8& p, const std::byte* stream, const int8_t* a, int32_t row_sum,
                   int8_t* out, const int8_t* residual, int64_t n) {
  using V = typename Ops::V;
  constexpr int kBytes = int(sizeof(V)), kVectors = 64 / kBytes;
  constexpr int kTileBytes = kTileBytesS8 / 8 * kBits;
  const int64_t panel_bytes = kPanelS8 * p.k_padded / 8 * kBits;
  V acc[2][kPanels][kTiles][kVectors];
  NIBBLE_UNROLL for (int e = 0; e < 2; ++e) {
    NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
      NIBBLE_UNROLL for (int t = 0; t < kTiles; ++t) {
        NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) acc[e][q][t][v] = Ops::splat32(0);
      }
    }
  }
  for (int64_t k = 0; k < p.k_padded; k += kStepS8, stream += kTiles * kTileBytes) {
    NIBBLE_UNROLL for (int z = 0; z < 16; ++z) {
      const V x = Ops::broadcast4(a + k + 4 * z);
      NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
        NIBBLE_UNROLL for (int t = 0; t < kTiles; ++t) {
          NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
            const V u =
                codes_s8<kBits, Ops>(stream + q * panel_bytes + t * kTileBytes, z, v * kBytes);
            acc[z % 2][q][t][v] = Ops::dot(acc[z % 2][q][t][v], u, x);
          }
        }
      }
    }
  }
  NIBBLE_UNROLL for (int q = 0; q < kPanels; ++q) {
    NIBBLE_UNROLL for (int t = 0; t < kTiles; ++t) {
      const int64_t at = n + q * kPanelS8 + t * kTileS8;
      if (at >= p.n) continue;
      alignas(64) int32_t sums[kTileS8];
      NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v)
          Ops::store(sums + v * kBytes / 4, Ops::add32(acc[0][q][t][v], acc[1][q][t][v]));
      finish_row<Ops::output_tile>(p, at, sums, row_sum, residual, out);
    }
  }
}

/// VectorCoreS8.
template <class Ops>
void vector_dot(const MatmulS8& p, const int8_t* a, int32_t row_sum, int8_t* out,
                const int8_t* residual, int64_t panel_begin, int64_t panel_end) {
  constexpr int kPanels = Ops::kTiles == 4 ? 2 : 1;
  with_bits(p.bits, [&]<int kBits>() {
    for (int64_t panel = panel_begin; panel < panel_end;) {
      const int64_t n = panel * kPanelS8, left = p.n_padded - n;
      const std::byte* stream = p.b + n * p.k_padded / 8 * kBits;
      if (left >= kPanels * kPanelS8 && panel + kPanels <= panel_end) {
        vector_panels<Ops, kBits, kPanels, 2>(p, stream, a, row_sum, out, residual, n);
        panel += kPanels;
        continue;
      }
      if (left >= kPanelS8)
        vector_panels<Ops, kBits, 1, 2>(p, stream, a, row_sum, out, residual, n);
      else
        vector_panels<Ops, kBits, 1, 1>(p, stream, a, row_sum, out, residual, n);
      ++panel;
    }
  });
}

}  // namespace
}  // namespace nibble::kernels
