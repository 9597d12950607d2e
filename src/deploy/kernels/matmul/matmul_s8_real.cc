#include <algorithm>

#include "deploy/kernels/matmul/matmul.h"

namespace nibble::kernels {
namespace {

constexpr int64_t kSumsGrain = 64 * 1024;
constexpr int64_t kRowTile = 24;  // rows that share unpacked codes

}  // namespace

void matmul_real_s8(const MatmulS8Variant& variant, const MatmulRealS8& p, const int8_t* a,
                    const float* row_scales, int64_t m, int32_t* sums, float* out,
                    ThreadPool& pool) {
  const MatmulS8Core& core = *variant.core;
  const int64_t panels = (p.n + kPanelS8 - 1) / kPanelS8, blocks = p.blocks();
  if (m == 0 || panels == 0) return;
  const int64_t whole = p.k_padded / p.block, rest = p.k_padded % p.block;
  pool.parallel_for(m, kSumsGrain / p.k_padded + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int8_t* row = a + i * p.k_padded;
      core.sums(row, whole, p.block, sums + i * blocks);
      if (rest) core.sums(row + whole * p.block, 1, rest, sums + i * blocks + whole);
    }
  });
  const double macs =
      static_cast<double>(m) * static_cast<double>(p.n) * static_cast<double>(p.k_padded);
  const bool serial = macs < core.serial_macs;
  const Tasks tasks = cut_tasks(m, panels, p.k_padded, kRowTile, 1, serial ? 1 : pool.threads());
  const auto work = [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t i = task / tasks.panel_blocks * tasks.row_block;
      const int64_t panel = task % tasks.panel_blocks * tasks.panel_block;
      core.real(p, a + i * p.k_padded, sums + i * blocks, row_scales + i,
                std::min(tasks.row_block, m - i), out + i * p.n, panel,
                std::min(panel + tasks.panel_block, panels));
    }
  };
  pool.parallel_for(tasks.count(), serial ? tasks.count() : 1, work);
}

}  // namespace nibble::kernels
