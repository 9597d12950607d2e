// Codes of packed tiles as bytes, in registers: one routine for all widths and ISAs
// (docs/formats/field.md, planes.md). Included by ISA files; internal linkage.
#pragma once

#include <cstddef>
#include <cstdint>

#include "deploy/kernels/matmul/matmul_s8.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels {
namespace {

/// Parts of a width, high bits first: 7 = 4 + 3, 3 = 2 + 1, ...
template <int kBits>
inline constexpr int kHighPart = kBits > 4                 ? 4
                                 : kBits > 2 && kBits != 4 ? 2
                                                           : kBits;

/// Bytes [offset, offset + sizeof(V)) of vector z (0..15) of a tile of kBits-bit codes, shifted up
/// by kUp bits: every part is moved straight to where it belongs. `Ops`: the registers of an ISA:
/// load, shift_right and shift_left (16-bit lanes), mask (bytes), join (or).
template <int kBits, class Ops, int kUp = 0>
inline __attribute__((always_inline)) typename Ops::V codes_s8(const std::byte* tile, int z,
                                                               int offset) {
  if constexpr (kBits == 8) {
    return Ops::load(tile + z * 64 + offset);
  } else if constexpr (kHighPart<kBits> == kBits) {
    constexpr int kPerByte = 8 / kBits;
    const typename Ops::V packed = Ops::load(tile + z / kPerByte * 64 + offset);
    const int down = z % kPerByte * kBits - kUp;
    const typename Ops::V moved = down > 0   ? Ops::shift_right(packed, down)
                                  : down < 0 ? Ops::shift_left(packed, -down)
                                             : packed;
    return Ops::mask(moved, ((1 << kBits) - 1) << kUp);
  } else {
    constexpr int kHigh = kHighPart<kBits>, kLow = kBits - kHigh;
    return Ops::join(codes_s8<kHigh, Ops, kUp + kLow>(tile, z, offset),
                     codes_s8<kLow, Ops, kUp>(tile + kHigh * (kTileBytesS8 / 8), z, offset));
  }
}

/// Asks for the cache lines of a tile of kBytes that lies ahead of the one at `tile`: the share of
/// vector z (0..15). Hardware alone does not keep a single row at the memory's speed.
template <int kBytes>
inline __attribute__((always_inline)) void fetch_ahead(const std::byte* tile, int z) {
  constexpr int kAhead = 2048, kLines = kBytes / 64;
  NIBBLE_UNROLL for (int i = z * kLines / 16; i < (z + 1) * kLines / 16; ++i)
      __builtin_prefetch(tile + kAhead + 64 * i);
}

/// Calls f with the width as a constant: f.template operator()<kBits>(), bits 1..8.
template <class F>
inline __attribute__((always_inline)) void with_bits(int bits, F f) {
  switch (bits) {
    case 1:
      return f.template operator()<1>();
    case 2:
      return f.template operator()<2>();
    case 3:
      return f.template operator()<3>();
    case 4:
      return f.template operator()<4>();
    case 5:
      return f.template operator()<5>();
    case 6:
      return f.template operator()<6>();
    case 7:
      return f.template operator()<7>();
    default:
      return f.template operator()<8>();
  }
}

/// UnpackS8 of an ISA.
template <class Ops>
void unpack_s8(int bits, const std::byte* stream, int64_t tiles, uint8_t* out) {
  with_bits(bits, [&]<int kBits>() {
    for (int64_t t = 0; t < tiles; ++t) {
      NIBBLE_UNROLL for (int z = 0; z < 16; ++z) {
        NIBBLE_UNROLL for (int at = 0; at < 64; at += int(sizeof(typename Ops::V)))
            Ops::store(out + z * 64 + at, codes_s8<kBits, Ops>(stream, z, at));
      }
      stream += kTileBytesS8 / 8 * kBits;
      out += kTileBytesS8;
    }
  });
}

/// Walks the codes [k_begin, k_end) of rows in runs that lie in one segment and one step:
/// f(offset in the row, k - k_begin, quads).
template <class F>
inline __attribute__((always_inline)) void for_each_run(const MatmulS8& p, const BlockS8& block,
                                                        F f) {
  int64_t s = 0, j = block.k_begin;
  if (j >= p.length) {
    s = j / p.length;
    j -= s * p.length;
  }
  const int64_t length = block.k_end - block.k_begin;
  for (int64_t k = 0; k < length;) {
    int64_t run = p.length - j;
    if (length - k < run) run = length - k;
    if (kStepS8 - k % kStepS8 < run) run = kStepS8 - k % kStepS8;
    f(p.segment[s] + j, k, run / 4);
    k += run;
    j += run;
    if (j == p.length) {
      j = 0;
      ++s;
    }
  }
}

/// - a b mod 2^32.
inline int32_t minus_product(int32_t a, int32_t b) {
  return static_cast<int32_t>(0u - static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
}

}  // namespace
}  // namespace nibble::kernels
