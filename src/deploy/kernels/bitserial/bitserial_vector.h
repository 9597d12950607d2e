// The bit-serial product from registers that count bits a byte, or a word, at a time. Included by
// ISA files with `Ops`, the registers of the ISA; internal linkage.
#pragma once

#include "deploy/kernels/bitserial/bitserial.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels {
namespace {

/// kRows rows by one tile of 16 channels, from one plane of each operand: totals[row][register] +=
/// +-2^shift popcount. Counts of words are added in registers (`Ops::kRoom` of them fit) before
/// they are widened to 64-bit lanes.
template <class Ops, int kRows>
inline __attribute__((always_inline)) void add_counts(const BitSerial& p,
                                                      const uint64_t* const* rows,
                                                      const uint64_t* w, bool negative, int shift,
                                                      typename Ops::V (*totals)[Ops::kVectors]) {
  using V = typename Ops::V;
  constexpr int kVectors = Ops::kVectors;
  V counts[kRows][kVectors], sums[kRows][kVectors];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) counts[m][v] = sums[m][v] = Ops::zero();
  }
  const auto widen = [&]() __attribute__((always_inline)) {
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
      NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
        sums[m][v] = Ops::add64(sums[m][v], Ops::to_words(counts[m][v]));
        counts[m][v] = Ops::zero();
      }
    }
  };
  int64_t room = Ops::kRoom;
  for (int64_t s = 0; s < p.segments; ++s) {
    const uint64_t* a[kRows];
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) a[m] = rows[m] + p.segment[s];
    for (int64_t k = 0; k < p.length;) {
      const int64_t stop = p.length - k < room ? p.length : k + room;
      room -= stop - k;
      for (; k < stop; ++k, w += kBitTile) {
        NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
          const V words = Ops::load(w + v * (kBitTile / kVectors));
          NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) counts[m][v] =
              Ops::add_bits(counts[m][v], Ops::both(words, Ops::splat64(a[m][k])));
        }
      }
      if (room == 0) {
        widen();
        room = Ops::kRoom;
      }
    }
  }
  widen();
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
      const V term = Ops::shift_left64(sums[m][v], shift);
      totals[m][v] = negative ? Ops::sub64(totals[m][v], term) : Ops::add64(totals[m][v], term);
    }
  }
}

template <class Ops, int kRows>
void bit_tile(const BitSerial& p, const uint64_t* const* rows, const int32_t* row_sums,
              int64_t valid, int8_t* out, const int8_t* residual, int64_t stride, int64_t tile) {
  using V = typename Ops::V;
  V totals[kRows][Ops::kVectors];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    NIBBLE_UNROLL for (int v = 0; v < Ops::kVectors; ++v) totals[m][v] = Ops::zero();
  }
  const int64_t plane = p.words() * kBitTile;
  for (int a = 0; a < p.a_planes; ++a) {
    const uint64_t* from[kRows];
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) from[m] =
        rows[m < valid ? m : valid - 1] + a * p.a_plane;
    for (int b = 0; b < p.w_planes; ++b)
      add_counts<Ops, kRows>(p, from, p.w + (tile * p.w_planes + b) * plane,
                             p.a_signed && a + 1 == p.a_planes, a + b, totals);
  }
  const int64_t n = tile * kBitTile, left = p.n - n;
  alignas(64) int32_t sums[kRows][kBitTile];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) Ops::narrow(totals[m], sums[m]);
  Ops::output_tile(p.output, n,
                   {.sums = sums[0],
                    .row_sums = row_sums,
                    .rows = valid < kRows ? valid : kRows,
                    .channels = left < kBitTile ? left : kBitTile,
                    .out = out + n,
                    .residual = residual ? residual + n : nullptr,
                    .stride = stride});
}

/// BitSerialCore.
template <class Ops>
void bitserial_vector(const BitSerial& p, const uint64_t* const* rows, const int32_t* row_sums,
                      int64_t m, int8_t* out, const int8_t* residual, int64_t stride, int64_t begin,
                      int64_t end) {
  for (int64_t t = begin; t < end; ++t) {
    int64_t i = 0;
    const auto run = [&]<int kRows>() {
      bit_tile<Ops, kRows>(p, rows + i, row_sums + i, m - i, out + i * stride,
                           residual ? residual + i * stride : nullptr, stride, t);
      i += kRows;
    };
    while (m - i > 1) run.template operator()<Ops::kRows>();
    if (m - i == 1) run.template operator()<1>();
  }
}

/// BitPlanesCore: the sign bits of bytes whose bit i was moved to the top.
template <class Ops>
void bit_planes_vector(const int8_t* x, int64_t pixels, int64_t channels, int planes, int64_t plane,
                       uint64_t* out) {
  const int64_t pixel = (channels + 63) / 64, last = channels % 64;
  alignas(64) int8_t tail[64] = {};
  const auto take = [&](const int8_t* from, uint64_t* to) NIBBLE_ALWAYS_INLINE {
    for (int b = 0; b < planes; ++b) to[b * plane] = Ops::bits64(from, b);
  };
  for (int64_t i = 0; i < pixels; ++i, x += channels, out += pixel) {
    for (int64_t c = 0; c + 64 <= channels; c += 64) take(x + c, out + c / 64);
    if (last == 0) continue;
    const int8_t* from = x + channels - last;
    if (last % 16 == 0)
      for (int64_t c = 0; c < last; c += 16) __builtin_memcpy(tail + c, from + c, 16);
    else
      __builtin_memcpy(tail, from, static_cast<size_t>(last));
    take(tail, out + channels / 64);
  }
}

}  // namespace
}  // namespace nibble::kernels
