#include "deploy/kernels/lookup/lookup.h"
#include "deploy/kernels/simd/output_s8_reference.h"

namespace nibble::kernels::portable {
namespace {

/// sums[c] += the products of one row and the tile's part of a block, whose first code is at a.
void add_block(const Lookup& p, const int8_t* a, int64_t k, int64_t tile, uint32_t* sums) {
  const auto [at, bytes] = lookup_plane(p.planes, p.n, p.k_padded, k, tile, 0);
  for (int64_t i = 0; i < bytes; ++i) {
    uint32_t table[2][16];
    for (int half = 0; half < 2; ++half)
      for (int pattern = 0; pattern < 16; ++pattern) {
        table[half][pattern] = 0;
        for (int j = 0; j < 4; ++j)
          if (pattern >> j & 1)
            table[half][pattern] += static_cast<uint32_t>(a[8 * i + 4 * half + j]);
      }
    for (int b = 0; b < p.planes; ++b) {
      const uint8_t* w = p.w + at + (b * bytes + i) * kLookupTile;
      for (int64_t c = 0; c < kLookupTile; ++c)
        sums[c] += (table[0][w[c] & 15] + table[1][w[c] >> 4]) << b;
    }
  }
}

}  // namespace

void lookup_core(const Lookup& p, const LookupTask& task) {
  for (int64_t i = 0; i < task.rows; ++i)
    for (int64_t t = task.begin; t < task.end; ++t) {
      uint32_t sums[kLookupTile] = {};
      for (int64_t k = 0; k < p.k_padded; k += kLookupBlock)
        add_block(p, task.a + i * p.k_padded + k, k, t, sums);
      for (int64_t n = t * kLookupTile; n < p.n && n < (t + 1) * kLookupTile; ++n) {
        const auto sum = static_cast<int32_t>(sums[n % kLookupTile]);
        const int64_t at = i * task.stride + n;
        task.out[at] = output_s8(p.output, n, sum, task.row_sums[i]);
        if (task.residual)
          task.out[at] = add_residual_s8(p.output, task.out[at], task.residual[at]);
      }
    }
}

}  // namespace nibble::kernels::portable
