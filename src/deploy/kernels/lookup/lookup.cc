#include "deploy/kernels/lookup/lookup.h"

#include <algorithm>

#include "deploy/base/tensor.h"

namespace nibble::kernels {
namespace {

constexpr LookupVariant kVariants[] = {
#define NIBBLE_LOOKUP(isa, space) {Isa::isa, "lookup/" #space, space::lookup_core},
#include "deploy/kernels/lookup/kernels.inc"
#undef NIBBLE_LOOKUP
};

constexpr double kSerialSums = 250e3;  // bits of weights times rows: below, a thread does not pay

/// How a product is cut: blocks of rows, and tiles where those do not occupy the threads (tables
/// are then made once for every cut).
struct Cut {
  bool serial;
  int64_t row_block, row_blocks, tile_block, tile_blocks;
  size_t scratch_at, worker_bytes;

  Cut(const Lookup& p, const RowPlan& plan, int threads) {
    const int64_t m = plan.count(), tiles = divide_up(p.n, kLookupTile);
    serial = static_cast<double>(m * p.n) * static_cast<double>(plan.k() * p.planes) < kSerialSums;
    row_blocks = std::max<int64_t>(divide_up(m, kLookupRows), 1);
    row_block = divide_up(m, row_blocks);
    tile_block = serial || row_blocks >= threads ? tiles : divide_up(tiles, threads);
    tile_blocks = tile_block ? divide_up(tiles, tile_block) : 0;
    scratch_at = align_up(static_cast<size_t>(row_block * p.k_padded));
    worker_bytes = scratch_at + lookup_scratch(row_block, tile_block);
  }
};

}  // namespace

std::span<const LookupVariant> lookup_variants() {
  return kVariants;
}

size_t lookup_workspace(const Lookup& p, const RowPlan& plan, int threads) {
  return static_cast<size_t>(threads) * Cut(p, plan, threads).worker_bytes;
}

void lookup(const LookupVariant& variant, const Lookup& p, const RowPlan& plan,
            const LookupData& data, ThreadPool& pool) {
  const int64_t m = plan.count(), tiles = divide_up(p.n, kLookupTile);
  if (m == 0 || tiles == 0) return;
  const Cut cut(p, plan, pool.threads());
  const auto work = [&](int64_t begin, int64_t end, int worker) {
    std::byte* workspace = data.workspace + static_cast<size_t>(worker) * cut.worker_bytes;
    const int8_t* rows[kLookupRows];
    for (int64_t index = begin; index < end; ++index) {
      const int64_t row = index / cut.tile_blocks * cut.row_block;
      LookupTask task;
      task.rows = std::min(cut.row_block, m - row);
      plan.pointers(data.a, row, task.rows, rows);
      auto* to = reinterpret_cast<int8_t*>(workspace);
      task.a = to;
      for (int64_t i = 0; i < task.rows; ++i)
        plan.copy_row(rows[i], p.k_padded, to + i * p.k_padded);
      task.row_sums = data.row_sums + row;
      task.out = data.out + row * data.stride;
      if (data.residual) task.residual = data.residual + row * data.stride;
      task.stride = data.stride;
      task.begin = index % cut.tile_blocks * cut.tile_block;
      task.end = std::min(task.begin + cut.tile_block, tiles);
      task.scratch = workspace + cut.scratch_at;
      variant.core(p, task);
      const int64_t n = task.begin * kLookupTile;
      data.copy(task.out + n, task.rows, std::min(task.end * kLookupTile, p.n) - n, data.stride);
    }
  };
  const int64_t tasks = cut.row_blocks * cut.tile_blocks;
  pool.parallel_for(tasks, cut.serial ? tasks : 1, work);
}

void pack_lookup(const uint8_t* codes, int bits, int64_t n, int64_t k, uint8_t* bytes) {
  const int64_t k_padded = lookup_k_padded(k);
  std::fill_n(bytes, lookup_bytes(bits, n, k), uint8_t{0});
  for (int64_t at = 0; at < k_padded; at += kLookupBlock)
    for (int64_t i = 0; i < n; ++i)
      for (int b = 0; b < bits; ++b) {
        const LookupPlane plane = lookup_plane(bits, n, k_padded, at, i / kLookupTile, b);
        uint8_t* to = bytes + plane.at + i % kLookupTile;
        for (int64_t t = at; t < std::min(at + kLookupBlock, k); ++t)
          to[(t - at) / 8 * kLookupTile] |=
              static_cast<uint8_t>((codes[i * k + t] >> b & 1) << t % 8);
      }
}

}  // namespace nibble::kernels
