// Integer products on ISAs without a dot-product instruction, from 16-bit multiply-adds. Included
// by ISA files with `Ops`, the registers of the ISA; internal linkage.
//
// Wide: codes and activations as int16, even and odd k apart, products added in int32: exact for
// any 8 bits; blocks as in matmul_s8_madd_split.h.
//
// Narrow: u8 x s8 pairs added in int16 and `room` such sums kept there, where
// 2 u_max a_max room <= 32767, before they are widened: half the work, or less, for weights below 8
// bits.
#pragma once

#include "deploy/kernels/matmul/matmul_s8_madd_split.h"
#include "deploy/kernels/matmul/words_s8.h"

namespace nibble::kernels {
namespace {

/// How many pair sums of products an int16 holds; 0: not one.
inline int64_t room_of(const MatmulS8& p) {
  return 32767 / (2 * int64_t{(1 << p.bits) - 1} * p.a_max);
}

inline bool is_narrow(const MatmulS8& p) {
  return room_of(p) > 1;
}

/// MatmulS8Core::folds_zeros: words hold the difference. (Codes that stand for -1 and +1 are
/// narrow.)
inline bool folds_zeros_madd(const MatmulS8& p) {
  return !is_narrow(p);
}

template <class Ops>
inline NIBBLE_ALWAYS_INLINE typename Ops::V add_products(typename Ops::V acc, const Words<Ops>& w,
                                                         const Words<Ops>& x) {
  return Ops::add32(Ops::add32(acc, Ops::madd(w.even, x.even)), Ops::madd(w.odd, x.odd));
}

/// Sums of kRows rows by kVectors registers of channels from v on, added up in int16. Of the rows
/// `valid` exist, the others' sums are undefined.
template <class Ops, int kRows, int kVectors>
void narrow_tile(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows, int64_t valid,
                 int v, SumsOf<Ops, kVectors>* sums) {
  using V = typename Ops::V;
  static_assert(kVectors * kLanes<Ops> <= kPanelS8);
  const int64_t room = room_of(p);
  const int8_t* from[kRows];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) from[m] = rows[m < valid ? m : valid - 1];
  const uint8_t* first = codes_of<Ops>(block, v);
  V acc[kRows][kVectors];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    NIBBLE_UNROLL for (int q = 0; q < kVectors; ++q) acc[m][q] = Ops::zero();
  }
  bool added = false;  // what `sums` hold counts
  const auto flush = [&]() NIBBLE_ALWAYS_INLINE {
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
      NIBBLE_UNROLL for (int q = 0; q < kVectors; ++q) {
        int32_t* to = sums[m].at + q * kLanes<Ops>;
        V sum = Ops::madd(acc[m][q], Ops::ones16());
        if (added) sum = Ops::add32(sum, Ops::load(to));
        Ops::store(to, sum);
        acc[m][q] = Ops::zero();
      }
    }
    added = true;
  };
  int64_t left = room;
  for_each_run(p, block, [&](int64_t offset, int64_t k, int64_t quads) NIBBLE_ALWAYS_INLINE {
    const uint8_t* b = first + k / kStepS8 * block.step_bytes + k % kStepS8 * kTileS8;
    const int8_t* a[kRows];
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] = from[m] + offset;
    for (int64_t j = 0; j < quads;) {
      const int64_t stop = quads - j < left ? quads : j + left;
      left -= stop - j;
      for (; j < stop; ++j, b += 64) {
        V w[kVectors];
        NIBBLE_UNROLL for (int q = 0; q < kVectors; ++q) w[q] = Ops::load(b + codes_step<Ops>(q));
        NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
          const V x = Ops::broadcast4(a[m] + 4 * j);
          NIBBLE_UNROLL for (int q = 0; q < kVectors; ++q) acc[m][q] =
              Ops::add16(acc[m][q], Ops::maddubs(w[q], x));
        }
      }
      if (left == 0) {
        flush();
        left = room;
      }
    }
  });
  flush();
}

/// Channels by the register, so that their codes stay in the nearest cache. Rows are finished by
/// the chunk.
template <class Ops>
void narrow_block(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
                  const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride) {
  constexpr int64_t kChunk = 24;
  static_assert(kChunk % Ops::kNarrowRows == 0);
  for_vectors<Ops, 2>(p, block, [&]<int kVectors>(int v) {
    SumsOf<Ops, kVectors> sums[kChunk];
    for (int64_t first = 0; first < m; first += kChunk) {
      const int64_t count = m - first < kChunk ? m - first : kChunk;
      for_rows<Ops::kNarrowRows>(count, [&]<int kRows>(int64_t i) {
        narrow_tile<Ops, kRows, kVectors>(p, block, rows + first + i, count - i, v, sums + i);
      });
      finish_vectors<Ops, kVectors>(p, block, v, first, count, sums, row_sums, out, stride);
    }
  });
}

/// BlockCoreS8.
template <class Ops>
void block_madd(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
                const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride) {
  if (is_narrow(p)) return narrow_block<Ops>(p, block, rows, row_sums, m, out, stride);
  split_block<Ops>(p, block, rows, m, out, stride);
}

/// A panel (kTiles tiles) by one row, codes unpacked in registers.
template <class Ops, int kBits, int kTiles>
void vector_panel(const MatmulS8& p, const std::byte* stream, const int8_t* a, int32_t row_sum,
                  int8_t* out, const int8_t* residual, int64_t n) {
  using V = typename Ops::V;
  constexpr int kBytes = int(sizeof(V)), kVectors = 64 / kBytes;
  constexpr int kTileBytes = kTileBytesS8 / 8 * kBits;
  V sums[kTiles][kVectors];
  NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) sums[q][v] = Ops::zero();
  }
  // Quads between two flushes: a power of two, so that it divides a step.
  const int64_t room = room_of(p);
  const int mask = room >= 16 ? 15 : room >= 8 ? 7 : room >= 4 ? 3 : room >= 2 ? 1 : 0;
  // Tile after tile, so that memory is read strictly forward.
  for (int64_t k = 0; k < p.k_padded; k += kStepS8, stream += kTiles * kTileBytes) {
    const auto tile_step = [&](int q) NIBBLE_ALWAYS_INLINE {
      const std::byte* tile = stream + q * kTileBytes;
      if constexpr (kBits == 8) {
        for (int z = 0; z < 16; ++z) {
          fetch_ahead<kTileBytes>(tile, z);
          const Words<Ops> x = quad_words<Ops>(a + k + 4 * z);
          NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) sums[q][v] = add_products<Ops>(
              sums[q][v], code_words<Ops>(Ops::load(tile + 64 * z + v * kBytes)), x);
        }
        return;
      }
      V acc[kVectors];
      NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) acc[v] = Ops::zero();
      NIBBLE_UNROLL for (int z = 0; z < 16; ++z) {
        fetch_ahead<kTileBytes>(tile, z);
        const V x = Ops::broadcast4(a + k + 4 * z);
        NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
          acc[v] = Ops::add16(acc[v], Ops::maddubs(codes_s8<kBits, Ops>(tile, z, v * kBytes), x));
          keep_order(acc[v]);
        }
        if (z < 15 && (z & mask) != mask) continue;
        NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
          sums[q][v] = Ops::add32(sums[q][v], Ops::madd(acc[v], Ops::ones16()));
          acc[v] = Ops::zero();
        }
      }
    };
    if constexpr (kBits == 8) {
      NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) tile_step(q);
    } else {  // unpacking is long code
      for (int q = 0; q < kTiles; ++q) tile_step(q);
    }
  }
  NIBBLE_UNROLL for (int q = 0; q < kTiles; ++q) {
    const int64_t at = n + q * kTileS8;
    alignas(64) int32_t tile[kTileS8];
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) Ops::store(tile + v * kBytes / 4, sums[q][v]);
    if (at < p.n) finish_row<Ops::output_tile>(p, at, tile, row_sum, residual, out);
  }
}

/// VectorCoreS8.
template <class Ops>
void vector_madd(const MatmulS8& p, const int8_t* a, int32_t row_sum, int8_t* out,
                 const int8_t* residual, int64_t panel_begin, int64_t panel_end) {
  with_bits(p.bits, [&]<int kBits>() {
    for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
      const int64_t n = panel * kPanelS8;
      const std::byte* stream = p.b + n * p.k_padded / 8 * kBits;
      if (p.n_padded - n >= kPanelS8)
        vector_panel<Ops, kBits, 2>(p, stream, a, row_sum, out, residual, n);
      else
        vector_panel<Ops, kBits, 1>(p, stream, a, row_sum, out, residual, n);
    }
  });
}

}  // namespace
}  // namespace nibble::kernels
