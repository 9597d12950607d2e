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
  const int64_t n = tile * kBitTile;
  const typename Ops::TileOutput output(p.output, n, p.n);
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    if (m >= valid) continue;
    typename Ops::Sums sums;
    Ops::narrow(totals[m], sums);
    const int64_t at = m * stride + n;
    output(sums, row_sums[m], residual ? residual + at : nullptr, out + at);
  }
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
  const int64_t pixel = (channels + 63) / 64;
  for (int64_t i = 0; i < pixels; ++i, x += channels, out += pixel) {
    for (int64_t word = 0; word < pixel; ++word) {
      const int64_t c = word * 64, left = channels - c;
      alignas(64) int8_t tail[64];
      const int8_t* from = x + c;
      if (left < 64) {
        for (int64_t j = 0; j < 64; ++j) tail[j] = j < left ? from[j] : int8_t{0};
        from = tail;
      }
      for (int b = 0; b < planes; ++b) out[b * plane + word] = Ops::bits64(from, b);
    }
  }
}

}  // namespace
}  // namespace nibble::kernels
