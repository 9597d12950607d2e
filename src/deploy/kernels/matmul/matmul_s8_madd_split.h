// Products by half the multiplications, which have one port on many processors (Winograd, "A new
// algorithm for inner product", 1968):
//   a0 b0 + a1 b1 = (a0 + b1) (a1 + b0) - a0 a1 - b0 b1,
// where the last two terms belong to a row and a channel alone. Exact modulo 2^32. Included by
// matmul_s8_madd.h.
#pragma once

#include "deploy/kernels/matmul/words_s8.h"

namespace nibble::kernels {
namespace {

/// Rows of a block as int16, even and odd k apart, two of each a lane, rows `pitch` lanes apart;
/// room for a register behind the last run, whose tail is stored whole.
struct SplitRows {
  static constexpr int64_t kMost = 12, kPitch = kMostBlockK / 4 + 16;
  static constexpr int64_t kOdd = kMost * kPitch;  // from even k to odd k
  alignas(64) int32_t lanes[2 * kMost * kPitch];
  int32_t own[kMost];  // sums of the products of neighbours in k, modulo 2^32
  int64_t pitch;
};

/// The codes of one register from lane `at` on; returns the products of neighbours.
template <class Ops>
inline NIBBLE_ALWAYS_INLINE typename Ops::V split_codes(typename Ops::V codes, int64_t at,
                                                        SplitRows& to) {
  const Words<Ops> x = signed_words<Ops>(codes);
  Ops::store_unaligned(to.lanes + at, x.even);
  Ops::store_unaligned(to.lanes + SplitRows::kOdd + at, x.odd);
  return Ops::madd(x.even, x.odd);
}

/// n lanes of codes one after the other: f(products of neighbours, first lane).
template <class Ops, class F>
inline NIBBLE_ALWAYS_INLINE void split_run(const int8_t* a, int64_t at, int64_t n, SplitRows& to,
                                           F f) {
  constexpr int kQuads = kLanes<Ops>;
  for (; n >= kQuads; n -= kQuads, a += 4 * kQuads, at += kQuads)
    f(split_codes<Ops>(Ops::load_unaligned(a), at, to), at);
  if (n > 0) f(split_codes<Ops>(Ops::load_quads(a, n), at, to), at);
}

inline uint32_t sum_lanes(const int32_t* lanes, int64_t n) {
  uint32_t sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<uint32_t>(lanes[i]);
  return sum;
}

/// Whether the rows are short and lie one behind the other.
inline bool is_dense(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
                     int64_t count) {
  constexpr int64_t kShort = 48;
  if (p.segments != 1 || p.length > kShort || block.k_end - block.k_begin != p.length) return false;
  for (int64_t i = 1; i < count; ++i)
    if (rows[i] - rows[i - 1] != p.length) return false;
  return true;
}

template <class Ops>
void split_rows(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows, int64_t count,
                SplitRows& to) {
  using V = typename Ops::V;
  if (is_dense(p, block, rows, count)) {  // one run
    to.pitch = p.length / 4;
    alignas(64) int32_t products[SplitRows::kMost * 12 + 16];
    split_run<Ops>(rows[0] + p.segment[0], 0, count * to.pitch, to,
                   [&](V own, int64_t at) NIBBLE_ALWAYS_INLINE { Ops::store(products + at, own); });
    for (int64_t i = 0; i < count; ++i)
      to.own[i] = static_cast<int32_t>(sum_lanes(products + i * to.pitch, to.pitch));
    return;
  }
  to.pitch = SplitRows::kPitch;
  for (int64_t i = 0; i < count; ++i) {
    V sum = Ops::zero();
    for_each_run(p, block, [&](int64_t offset, int64_t k, int64_t quads) NIBBLE_ALWAYS_INLINE {
      split_run<Ops>(rows[i] + offset, i * to.pitch + k / 4, quads, to,
                     [&](V own, int64_t) NIBBLE_ALWAYS_INLINE { sum = Ops::add32(sum, own); });
    });
    to.own[i] = Ops::sum32(sum);
  }
}

/// The codes of kVectors registers of channels from v on, less their zero points, as int16,
/// [quad][register][odd k, even k], and for each channel the sum of the products of neighbours in
/// k.
template <class Ops, int kVectors>
void split_weights(const MatmulS8& p, const BlockS8& block, int v, typename Ops::V* words,
                   int32_t* own) {
  using V = typename Ops::V;
  V sums[kVectors], zeros[kVectors];
  const uint8_t* from[kVectors];
  NIBBLE_UNROLL for (int q = 0; q < kVectors; ++q) {
    sums[q] = Ops::zero();
    const V zero = Ops::load_unaligned(p.output.w_zero + block.n + (v + q) * kLanes<Ops>);
    zeros[q] = Ops::join(Ops::shift_left32(zero, 16), Ops::mask_low_words(zero));
    from[q] = codes_of<Ops>(block, v + q);
  }
  constexpr int64_t kStepQuads = kStepS8 / 4;
  const int64_t quads = (block.k_end - block.k_begin) / 4;
  for (int64_t j = 0; j < quads; ++j) {
    const int64_t at = j / kStepQuads * block.step_bytes + j % kStepQuads * 64;
    NIBBLE_UNROLL for (int q = 0; q < kVectors; ++q, words += 2) {
      const Words<Ops> w = code_words<Ops>(Ops::load(from[q] + at));
      const V odd = Ops::sub16(w.odd, zeros[q]), even = Ops::sub16(w.even, zeros[q]);
      words[0] = odd;
      words[1] = even;
      sums[q] = Ops::add32(sums[q], Ops::madd(even, odd));
    }
  }
  NIBBLE_UNROLL for (int q = 0; q < kVectors; ++q) Ops::store(own + q * kLanes<Ops>, sums[q]);
}

/// Sums of rows `first` and the kRows - 1 behind it by kVectors registers of channels. Of the rows
/// `valid` exist, the others' sums are undefined. (Out of line: the compiler keeps the sums in
/// registers.)
template <class Ops, int kRows, int kVectors>
__attribute__((noinline)) void split_tile(const SplitRows& rows, int64_t first, int64_t valid,
                                          int64_t quads, const typename Ops::V* words,
                                          const int32_t* own, SumsOf<Ops, kVectors>* sums) {
  using V = typename Ops::V;
  const int32_t* lanes[kRows];
  V acc[kRows][kVectors];
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    const int64_t row = first + (m < valid ? m : valid - 1);
    lanes[m] = rows.lanes + row * rows.pitch;
    const V less = Ops::splat32(static_cast<int32_t>(0u - static_cast<uint32_t>(rows.own[row])));
    NIBBLE_UNROLL for (int q = 0; q < kVectors; ++q) acc[m][q] =
        Ops::sub32(less, Ops::load(own + q * kLanes<Ops>));
  }
  for (int64_t j = 0; j < quads; ++j, words += 2 * kVectors) {
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
      const V e = Ops::splat32(lanes[m][j]), o = Ops::splat32(lanes[m][SplitRows::kOdd + j]);
      NIBBLE_UNROLL for (int q = 0; q < kVectors; ++q) {
        acc[m][q] = Ops::add32(
            acc[m][q], Ops::madd(Ops::add16(words[2 * q], e), Ops::add16(words[2 * q + 1], o)));
        keep_order(acc[m][q]);
      }
    }
  }
  NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
    NIBBLE_UNROLL for (int q = 0; q < kVectors; ++q)
        Ops::store(sums[m].at + q * kLanes<Ops>, acc[m][q]);
  }
}

/// Rows of a tile: as many as registers hold sums of; of one register each, six, whose addresses
/// registers hold.
template <class Ops, int kVectors>
inline constexpr int kSplitRows = kVectors == 1 ? 6 : Ops::kSplitSums / kVectors;

/// Weights are split once, rows once for all channels of the block. Needs no sums of rows.
template <class Ops>
void split_block(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows, int64_t m,
                 int8_t* out, int64_t stride) {
  using V = typename Ops::V;
  constexpr int64_t kChunk = SplitRows::kMost;
  const int64_t quads = (block.k_end - block.k_begin) / 4;
  auto* const words = reinterpret_cast<V*>(block.scratch);
  alignas(64) int32_t own[kBlockChannelsS8];
  for_vectors<Ops, Ops::kSplitVectors>(p, block, [&]<int kVectors>(int v) {
    split_weights<Ops, kVectors>(p, block, v, words + 2 * quads * v, own + v * kLanes<Ops>);
  });
  SplitRows split;
  for (int64_t first = 0; first < m; first += kChunk) {
    const int64_t count = m - first < kChunk ? m - first : kChunk;
    split_rows<Ops>(p, block, rows + first, count, split);
    for_vectors<Ops, Ops::kSplitVectors>(p, block, [&]<int kVectors>(int v) {
      SumsOf<Ops, kVectors> sums[kChunk];
      for_rows<kSplitRows<Ops, kVectors>>(count, [&]<int kRows>(int64_t i) {
        split_tile<Ops, kRows, kVectors>(split, i, count - i, quads, words + 2 * quads * v,
                                         own + v * kLanes<Ops>, sums + i);
      });
      finish_vectors<Ops, kVectors>(p, block, v, first, count, sums, nullptr, out, stride);
    });
  }
}

}  // namespace
}  // namespace nibble::kernels
