// Products of large blocks by half the multiplications, which have one port on many processors
// (Winograd, "A new algorithm for inner product", 1968):
//   a0 b0 + a1 b1 = (a0 + b1) (a1 + b0) - a0 a1 - b0 b1,
// where the last two terms belong to a row and a channel alone. Exact modulo 2^32. Included by
// matmul_s8_madd.h.
#pragma once

#include "deploy/kernels/matmul/finish_s8.h"
#include "deploy/kernels/matmul/words_s8.h"

namespace nibble::kernels {
namespace {

/// Whether what is done once a row and once a channel is little beside the products.
inline bool pays_to_split(const BlockS8& block, int64_t m) {
  return m >= 12 && block.tiles >= 2 && block.k_end - block.k_begin >= 64;
}

/// A row of a block as int16, even and odd k apart, two of each a lane; room for a register behind
/// the last run, whose tail is stored whole.
struct SplitRow {
  alignas(64) int32_t even[kMostBlockK / 4 + 16], odd[kMostBlockK / 4 + 16];
  int32_t own;  // sum of the products of neighbours in k, modulo 2^32
};

template <class Ops>
void split_row(const MatmulS8& p, const BlockS8& block, const int8_t* row, SplitRow& to) {
  using V = typename Ops::V;
  constexpr int kQuads = int(sizeof(V)) / 4;
  V sum = Ops::zero();
  const auto split = [&](const int8_t* a, int64_t at) NIBBLE_ALWAYS_INLINE {
    const Words<Ops> x = signed_words<Ops>(Ops::load_unaligned(a));
    Ops::store_unaligned(to.even + at, x.even);
    Ops::store_unaligned(to.odd + at, x.odd);
    sum = Ops::add32(sum, Ops::madd(x.even, x.odd));
  };
  for_each_run(p, block, [&](int64_t offset, int64_t k, int64_t quads) NIBBLE_ALWAYS_INLINE {
    const int8_t* a = row + offset;
    int64_t at = k / 4;
    for (; quads >= kQuads; quads -= kQuads, a += 4 * kQuads, at += kQuads) split(a, at);
    if (quads == 0) return;
    alignas(64) int8_t tail[4 * kQuads] = {};
    for (int64_t i = 0; i < quads; ++i) __builtin_memcpy(tail + 4 * i, a + 4 * i, 4);
    split(tail, at);
  });
  alignas(64) uint32_t lanes[kQuads];
  Ops::store(lanes, sum);
  uint32_t own = 0;
  for (uint32_t lane : lanes) own += lane;
  to.own = static_cast<int32_t>(own);
}

/// Sums of the products of neighbours in k of the channels of kTiles tiles from tile t on.
template <class Ops, int kTiles>
void own_products(const MatmulS8& p, const BlockS8& block, int t, int32_t* channels) {
  using V = typename Ops::V;
  constexpr int kBytes = int(sizeof(V)), kVectors = 64 / kBytes;
  const uint8_t* first = block.b + t / 2 * block.panel_bytes + t % 2 * kTileBytesS8;
  V sums[kTiles][kVectors];
  NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) sums[q][v] = Ops::zero();
  }
  for_each_run(p, block, [&](int64_t, int64_t k, int64_t quads) NIBBLE_ALWAYS_INLINE {
    const uint8_t* b = first + k / kStepS8 * block.step_bytes + k % kStepS8 * kTileS8;
    for (int64_t j = 0; j < quads; ++j, b += 64) {
      NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
        NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
          const Words<Ops> w = code_words<Ops>(Ops::load(b + q * kTileBytesS8 + v * kBytes));
          sums[q][v] = Ops::add32(sums[q][v], Ops::madd(w.even, w.odd));
        }
      }
    }
  });
  NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v)
        Ops::store(channels + q * kTileS8 + v * kBytes / 4, sums[q][v]);
  }
}

/// Sums of kRows rows by kTiles tiles of 16 channels, from tile t on. Of the rows `valid` exist,
/// the others' sums are undefined.
template <class Ops, int kRows, int kTiles>
void split_tile(const BlockS8& block, const SplitRow* rows, int64_t valid, int t,
                const int32_t* own_channels, SumsOf<kTiles>* sums) {
  using V = typename Ops::V;
  constexpr int kBytes = int(sizeof(V)), kVectors = 64 / kBytes;
  const uint8_t* first = block.b + t / 2 * block.panel_bytes + t % 2 * kTileBytesS8;
  const SplitRow* row[kRows];
  V acc[kRows][kTiles][kVectors];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    row[m] = rows + (m < valid ? m : valid - 1);
    const auto own = static_cast<uint32_t>(row[m]->own);
    NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
      NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) acc[m][q][v] =
          Ops::sub32(Ops::splat32(static_cast<int32_t>(0u - own)),
                     Ops::load(own_channels + q * kTileS8 + v * kBytes / 4));
    }
  }
  constexpr int64_t kStepQuads = kStepS8 / 4;
  const int64_t quads = (block.k_end - block.k_begin) / 4;
  for (int64_t step = 0; step < quads; step += kStepQuads, first += block.step_bytes) {
    const int64_t stop = quads - step < kStepQuads ? quads : step + kStepQuads;
    const uint8_t* b = first;
    for (int64_t j = step; j < stop; ++j, b += 64) {
      Words<Ops> w[kTiles][kVectors];
      NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
        NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) w[q][v] =
            code_words<Ops>(Ops::load(b + q * kTileBytesS8 + v * kBytes));
      }
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
        const V even = Ops::splat32(row[m]->even[j]), odd = Ops::splat32(row[m]->odd[j]);
        NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
          NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) acc[m][q][v] =
              Ops::add32(acc[m][q][v],
                         Ops::madd(Ops::add16(w[q][v].odd, even), Ops::add16(w[q][v].even, odd)));
        }
      }
    }
  }
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
      NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v)
          Ops::store(&sums[m][q][v * kBytes / 4], acc[m][q][v]);
    }
  }
}

/// Chunks of rows, which are split once for all tiles.
template <class Ops>
void split_block(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
                 const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride) {
  constexpr int64_t kChunk = 2 * Ops::kSplitRows;
  alignas(64) int32_t own[kBlockChannelsS8];
  for_tiles<Ops>(
      block, [&]<int kTiles>(int t) { own_products<Ops, kTiles>(p, block, t, own + t * kTileS8); });
  SplitRow split[kChunk];
  for (int64_t first = 0; first < m; first += kChunk) {
    const int64_t count = m - first < kChunk ? m - first : kChunk;
    for (int64_t i = 0; i < count; ++i) split_row<Ops>(p, block, rows[first + i], split[i]);
    for_tiles<Ops>(block, [&]<int kTiles>(int t) {
      alignas(64) SumsOf<kTiles> sums[kChunk];
      for_rows<Ops::kSplitRows>(count, [&]<int kRows>(int64_t i) {
        split_tile<Ops, kRows, kTiles>(block, split + i, count - i, t, own + t * kTileS8, sums + i);
      });
      for (int q = 0; q < kTiles; ++q)
        finish_tile<Ops::output_tile>(p, block, t + q, first, count, sums[0][q], kTiles * kTileS8,
                                      row_sums + first, out + first * stride, stride);
    });
  }
}

}  // namespace
}  // namespace nibble::kernels
