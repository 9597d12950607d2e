#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/matmul/panels_f32.h"

#include <algorithm>

namespace nibble::kernels {
namespace {

constexpr MatmulF32Variant kVariants[] = {
#define NIBBLE_MATMUL_F32(isa, space) {Isa::isa, "matmul_f32/" #space, space::matmul_f32},
#define NIBBLE_MATMUL_S8(isa, space)
#include "deploy/kernels/matmul/kernels.inc"
#undef NIBBLE_MATMUL_F32
#undef NIBBLE_MATMUL_S8
};

constexpr double kSerialMacs = 100e3;  // below about 3 us of work a second thread does not pay
constexpr int64_t kTile = 12;          // a multiple of the cores' rows

}  // namespace

std::span<const MatmulF32Variant> matmul_f32_variants() {
  return kVariants;
}

void matmul_f32(const MatmulF32Variant& variant, MatmulF32 p, const RowPlan& plan, const float* a,
                float* out, int64_t stride, ThreadPool& pool) {
  p.segment = plan.segment.data();
  p.segments = static_cast<int64_t>(plan.segment.size());
  p.length = plan.length;
  const int64_t m = plan.count(), panels = panels_f32(p.n);
  if (m == 0 || panels == 0) return;
  const double macs = static_cast<double>(m) * static_cast<double>(p.n) * p.k();
  const Tasks tasks =
      cut_tasks(m, panels, p.k() * 4, kTile, 1, macs < kSerialMacs ? 1 : pool.threads());
  const auto work = [&](int64_t begin, int64_t end) {
    const float* rows[RowPlan::kMaxRows];
    for (int64_t task = begin; task < end; ++task) {
      const int64_t i = task / tasks.panel_blocks * tasks.row_block;
      const int64_t q = task % tasks.panel_blocks * tasks.panel_block;
      const int64_t count = std::min(tasks.row_block, m - i);
      plan.pointers(a, i, count, rows);
      variant.core(p, rows, count, out + i * stride, stride, q,
                   std::min(q + tasks.panel_block, panels));
    }
  };
  pool.parallel_for(tasks.count(), macs < kSerialMacs ? tasks.count() : 1, work);
}

}  // namespace nibble::kernels
