// The end of a tile, common to all cores that add up in registers. Included by ISA files; internal
// linkage.
#pragma once

#include "deploy/kernels/matmul/matmul_s8.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels {
namespace {

/// Rows [row, row + rows) by the 16 channels of tile t of a block: adds what earlier blocks left to
/// their `sums` ([rows][16], rows `pitch` apart, 64-byte aligned), then hands them on or has
/// `kOutput` finish them. `out` is row `row` of channel block.n. `offset` was taken off every code
/// of the weights; `row_sums` may be null: zero points (and offset) are taken off already.
template <void kOutput(const OutputS8&, int64_t, const TileRows&)>
inline void finish_tile(const MatmulS8& p, const BlockS8& block, int t, int64_t row, int64_t rows,
                        int32_t* sums, int64_t pitch, const int32_t* row_sums, int8_t* out,
                        int64_t stride, int32_t offset = 0) {
  int32_t* held = block.sums + row * kBlockChannelsS8 + t * kTileS8;
  const auto each = [&](auto f) NIBBLE_ALWAYS_INLINE {
    for (int64_t m = 0; m < rows; ++m)
      for (int64_t i = 0; i < kTileS8; ++i)
        f(sums[m * pitch + i], held[m * kBlockChannelsS8 + i], m);
  };
  const auto add = [](int32_t& sum, uint32_t term) NIBBLE_ALWAYS_INLINE {
    sum = static_cast<int32_t>(static_cast<uint32_t>(sum) + term);
  };
  if (!block.first)
    each([&](int32_t& sum, int32_t before, int64_t) { add(sum, static_cast<uint32_t>(before)); });
  else if (offset != 0)
    each([&](int32_t& sum, int32_t, int64_t m) {
      add(sum, static_cast<uint32_t>(row_sums[m]) * static_cast<uint32_t>(offset));
    });
  if (!block.last) return each([](int32_t sum, int32_t& after, int64_t) { after = sum; });
  const int64_t n = block.n + t * kTileS8, left = p.n - n;
  const int64_t at = t * kTileS8;
  kOutput(p.output, n,
          {.sums = sums,
           .pitch = pitch,
           .row_sums = row_sums,
           .rows = rows,
           .channels = left < kTileS8 ? left : kTileS8,
           .out = out + at,
           .residual = block.residual ? block.residual + row * stride + at : nullptr,
           .stride = stride});
}

/// The same of a single row that no block cuts, channels from n on.
template <void kOutput(const OutputS8&, int64_t, const TileRows&)>
inline void finish_row(const MatmulS8& p, int64_t n, const int32_t* sums, int32_t row_sum,
                       const int8_t* residual, int8_t* out) {
  const int64_t left = p.n - n;
  kOutput(p.output, n,
          {.sums = sums,
           .row_sums = &row_sum,
           .rows = 1,
           .channels = left < kTileS8 ? left : kTileS8,
           .out = out + n,
           .residual = residual ? residual + n : nullptr});
}

}  // namespace
}  // namespace nibble::kernels
