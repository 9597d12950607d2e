#include <algorithm>

#include "deploy/kernels/matmul/matmul.h"

namespace nibble::kernels {
namespace {

constexpr MatmulS8Variant kVariants[] = {
#define NIBBLE_MATMUL_F32(isa, space)
#define NIBBLE_MATMUL_S8(isa, space) \
  {Isa::isa, "matmul_s8/" #space, space::matmul_s8, space::sums_s8},
#include "deploy/kernels/matmul/kernels.inc"
#undef NIBBLE_MATMUL_F32
#undef NIBBLE_MATMUL_S8
};

constexpr double kSerialMacs = 500e3;  // below about 3 us of work a second thread does not pay
constexpr int64_t kTile = 12;          // a multiple of the cores' rows
constexpr int64_t kPanelTile = 2;

}  // namespace

std::span<const MatmulS8Variant> matmul_s8_variants() {
  return kVariants;
}

void matmul_s8(const MatmulS8Variant& variant, MatmulS8 p, const RowPlan& plan, const int8_t* a,
               const int32_t* row_sums, int8_t* out, int64_t stride, ThreadPool& pool) {
  p.segment = plan.segment.data();
  p.segments = static_cast<int64_t>(plan.segment.size());
  p.length = plan.length;
  const int64_t m = plan.count(), panels = (p.n + kPanelS8 - 1) / kPanelS8;
  if (m == 0 || panels == 0) return;
  const double macs =
      static_cast<double>(m) * static_cast<double>(p.n) * static_cast<double>(p.k());
  const bool serial = macs < kSerialMacs;
  const Tasks tasks = cut_tasks(m, panels, p.k(), kTile, kPanelTile, serial ? 1 : pool.threads());
  const auto work = [&](int64_t begin, int64_t end) {
    const int8_t* rows[RowPlan::kMaxRows];
    for (int64_t task = begin; task < end; ++task) {
      const int64_t i = task / tasks.panel_blocks * tasks.row_block;
      const int64_t q = task % tasks.panel_blocks * tasks.panel_block;
      const int64_t count = std::min(tasks.row_block, m - i);
      plan.pointers(a, i, count, rows);
      variant.core(p, rows, row_sums + i, count, out + i * stride, stride, q,
                   std::min(q + tasks.panel_block, panels));
    }
  };
  pool.parallel_for(tasks.count(), serial ? tasks.count() : 1, work);
}

}  // namespace nibble::kernels
