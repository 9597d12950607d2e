// Codes as 16-bit words, even and odd k apart: what multiply-adds of int16 take. Included by ISA
// files with `Ops`; internal linkage.
#pragma once

#include "deploy/kernels/matmul/codes_s8.h"

namespace nibble::kernels {
namespace {

/// The sums of one row.
template <int kTiles>
using SumsOf = int32_t[kTiles][kTileS8];

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

/// All tiles of a block in turn: f.operator()<kTiles>(t).
template <class Ops, class F>
inline NIBBLE_ALWAYS_INLINE void for_tiles(const BlockS8& block, F f) {
  int t = 0;
  for (; t + Ops::kTiles <= block.tiles; t += Ops::kTiles) f.template operator()<Ops::kTiles>(t);
  for (; t < block.tiles; ++t) f.template operator()<1>(t);
}

}  // namespace
}  // namespace nibble::kernels
