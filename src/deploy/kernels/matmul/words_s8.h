// Codes as 16-bit words, even and odd k apart: what multiply-adds of int16 take. Included by ISA
// files with `Ops`; internal linkage.
#pragma once

#include "deploy/kernels/matmul/codes_s8.h"
#include "deploy/kernels/matmul/finish_s8.h"
#include "deploy/kernels/simd/x86_keep_order.h"

namespace nibble::kernels {
namespace {

/// The codes of even k and of odd k as int16, and likewise of activations.
template <class Ops>
struct Words {
  typename Ops::V even, odd;
};
template <class Ops>
inline NIBBLE_ALWAYS_INLINE Words<Ops> code_words(typename Ops::V u) {
  return {Ops::mask_low_bytes(u), Ops::shift_right(u, 8)};
}
template <class Ops>
inline NIBBLE_ALWAYS_INLINE Words<Ops> signed_words(typename Ops::V x) {
  return {Ops::shift_right_signed(Ops::shift_left(x, 8), 8), Ops::shift_right_signed(x, 8)};
}
template <class Ops>
inline NIBBLE_ALWAYS_INLINE Words<Ops> quad_words(const int8_t* a) {
  return signed_words<Ops>(Ops::broadcast4(a));
}

/// The rows of a block, kMost at a time, then half as many once, then one by one.
template <int kMost, class F>
inline NIBBLE_ALWAYS_INLINE void for_rows(int64_t m, F f) {
  int64_t i = 0;
  for (; m - i > kMost / 2; i += kMost) f.template operator()<kMost>(i);
  if constexpr (kMost > 2)
    if (m - i > kMost / 4) f.template operator()<kMost / 2>(i), i += kMost / 2;
  if constexpr (kMost > 1)
    for (; i < m; ++i) f.template operator()<1>(i);
}

/// Channels of a register of sums, and registers of a tile.
template <class Ops>
inline constexpr int kLanes = int(sizeof(typename Ops::V)) / 4;
template <class Ops>
inline constexpr int kTileVectors = int(kTileS8) / kLanes<Ops>;

/// The channels of a block in turn, as many registers of them as exist: first kMost at a time, then
/// fewer, so that groups of more than one begin with a tile: f.operator()<kVectors>(first
/// register).
template <class Ops, int kMost, class F>
inline NIBBLE_ALWAYS_INLINE void for_vectors(const MatmulS8& p, const BlockS8& block, F f) {
  const int64_t left = p.n - block.n, most = block.tiles * kTileS8;
  const auto vectors =
      static_cast<int>(((left < most ? left : most) + kLanes<Ops> - 1) / kLanes<Ops>);
  int v = 0;
  for (; v + kMost <= vectors; v += kMost) f.template operator()<kMost>(v);
  if constexpr (kMost > 2)
    if (v + 2 <= vectors) f.template operator()<2>(v), v += 2;
  if constexpr (kMost > 1)
    if (v < vectors) f.template operator()<1>(v);
}

/// Where the codes of register v of the channels begin.
template <class Ops>
inline const uint8_t* codes_of(const BlockS8& block, int v) {
  const int t = v / kTileVectors<Ops>;
  return block.b + t / 2 * block.panel_bytes + t % 2 * kTileBytesS8 +
         v % kTileVectors<Ops> * int(sizeof(typename Ops::V));
}

/// Distance of the codes of register i of a panel's channels from those of its first one.
template <class Ops>
constexpr int64_t codes_step(int i) {
  return i / kTileVectors<Ops> * kTileBytesS8 +
         i % kTileVectors<Ops> * int(sizeof(typename Ops::V));
}

/// Sums of a row by kVectors registers of channels, in whole tiles: those of registers that are not
/// there are 0.
template <class Ops, int kVectors>
struct alignas(64) SumsOf {
  static constexpr int kTiles = (kVectors + kTileVectors<Ops> - 1) / kTileVectors<Ops>;
  SumsOf() {
    for (int i = kVectors * kLanes<Ops>; i < kTiles * int(kTileS8); ++i) at[i] = 0;
  }
  int32_t at[kTiles * kTileS8];
};

/// Has the tiles of `count` rows finished: channels from register v on, rows from `first` on.
template <class Ops, int kVectors>
inline void finish_vectors(const MatmulS8& p, const BlockS8& block, int v, int64_t first,
                           int64_t count, SumsOf<Ops, kVectors>* sums, const int32_t* row_sums,
                           int8_t* out, int64_t stride) {
  using Sums = SumsOf<Ops, kVectors>;
  for (int q = 0; q < Sums::kTiles; ++q)
    finish_tile<Ops::output_tile>(p, block, v / kTileVectors<Ops> + q, first, count,
                                  sums->at + q * kTileS8, Sums::kTiles * kTileS8,
                                  row_sums ? row_sums + first : nullptr, out + first * stride,
                                  stride);
}

}  // namespace
}  // namespace nibble::kernels
