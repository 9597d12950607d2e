// The product by tables, from registers that bytes are permuted by. Included by ISA files with
// `Ops`, the registers of the ISA; internal linkage.
#pragma once

#include "deploy/kernels/lookup/lookup.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels {
namespace {

/// The bytes of a channel whose entries eight bits hold the sums of: 8 entries of five bits, or 4
/// of six.
template <int kHalves>
inline constexpr int kSteps = kHalves == 2 ? 4 : 2;

/// sums[c] += (entries of one plane of a tile in a block, `bytes` of eight k a channel) << shift.
/// An entry is kHalves bytes, the low one first: sums of these are added in eight bits, then in 16,
/// which hold those of a block. Tables: [bytes][kHalves][both groups of four k][16].
template <class Ops, int kHalves>
void add_plane(const uint8_t* w, const uint8_t* tables, int64_t bytes, int shift, int32_t* sums) {
  using V = typename Ops::V;
  constexpr int kLanes = sizeof(V), kVectors = int(kLookupTile) / kLanes;
  constexpr int64_t kAhead = 2048;
  V words[kVectors][2];
  NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) words[v][0] = words[v][1] = Ops::zero();
  for (int64_t i = 0; i < bytes; i += kSteps<kHalves>) {
    V found[kVectors][kHalves];
    NIBBLE_UNROLL for (int s = 0; s < kSteps<kHalves>; ++s)
        __builtin_prefetch(w + kAhead + s * kLookupTile);
    NIBBLE_UNROLL for (int s = 0; s < 2 * kSteps<kHalves>; ++s) {
      V table[kHalves];
      NIBBLE_UNROLL for (int h = 0; h < kHalves; ++h) table[h] =
          Ops::table(tables + 32 * h + 16 * (s % 2));
      NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
        const V pair = Ops::load(w + v * kLanes);
        const V index = s % 2 ? Ops::high(pair) : Ops::low(pair);
        NIBBLE_UNROLL for (int h = 0; h < kHalves; ++h) {
          const V entries = Ops::find(table[h], index);
          found[v][h] = s == 0 ? entries : Ops::add8(found[v][h], entries);
        }
      }
      if (s % 2) w += kLookupTile, tables += 32 * kHalves;
    }
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) Ops::add16(words[v], found[v]);
  }
  NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) Ops::add32(words[v], shift, sums + v * kLanes);
}

/// The output stage of the sums [rows][channels] of a task.
template <class Ops>
void finish(const Lookup& p, const LookupTask& task, const int32_t* sums) {
  constexpr int64_t kTile = 16;
  const int64_t first = task.begin * kLookupTile;
  for (int64_t c = 0; c < task.channels() && first + c < p.n; c += kTile) {
    const int64_t n = first + c, left = p.n - n;
    Ops::output_tile(p.output, n,
                     {.sums = sums + c,
                      .pitch = task.channels(),
                      .row_sums = task.row_sums,
                      .rows = task.rows,
                      .channels = left < kTile ? left : kTile,
                      .out = task.out + n,
                      .residual = task.residual ? task.residual + n : nullptr,
                      .stride = task.stride});
  }
}

template <class Ops, int kHalves>
void lookup_halves(const Lookup& p, const LookupTask& task) {
  auto* tables = reinterpret_cast<uint8_t*>(task.scratch);
  auto* sums = reinterpret_cast<int32_t*>(task.scratch + task.rows * kLookupTables);
  // What makes entries of tables non-negative, once for each of them.
  const int32_t least = 4 * p.a_min;
  const auto excess =
      static_cast<int32_t>(static_cast<uint32_t>(p.k_padded / 4 * least) * ((1u << p.planes) - 1));
  for (int64_t c = 0; c < task.rows * task.channels(); ++c) sums[c] = excess;
  for (int64_t k = 0; k < p.k_padded; k += kLookupBlock) {
    const int64_t bytes = lookup_plane(p.planes, p.n, p.k_padded, k, 0, 0).bytes;
    for (int64_t i = 0; i < task.rows; ++i)
      Ops::template tables<kHalves>(task.a + i * p.k_padded + k, bytes, least,
                                    tables + i * kLookupTables);
    for (int64_t t = task.begin; t < task.end; ++t) {
      const uint8_t* w = p.w + lookup_plane(p.planes, p.n, p.k_padded, k, t, 0).at;
      for (int64_t i = 0; i < task.rows; ++i)
        for (int b = 0; b < p.planes; ++b)
          add_plane<Ops, kHalves>(w + b * bytes * kLookupTile, tables + i * kLookupTables, bytes, b,
                                  sums + i * task.channels() + (t - task.begin) * kLookupTile);
    }
  }
  finish<Ops>(p, task, sums);
}

/// LookupCore. `Ops::tables` makes the tables of a row, whose entries are less than sums by
/// `least`.
template <class Ops>
void lookup_vector(const Lookup& p, const LookupTask& task) {
  if (p.wide())
    lookup_halves<Ops, 2>(p, task);
  else
    lookup_halves<Ops, 1>(p, task);
}

}  // namespace
}  // namespace nibble::kernels
