#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/matmul/panels_f32.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "deploy/base/divide.h"

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
constexpr int64_t kPanelTile = 2;      // as many as a core takes at once
// k of a block: a panel's part is 24 KiB, most of a first-level cache. Up to kWholeK, what the
// sums cost on their way through memory is more than blocks save.
constexpr int64_t kBlockK = 384, kWholeK = 1152;
constexpr int64_t kLine = 16;  // elements of a cache line

/// How a product is cut.
struct Cut {
  bool serial;
  int64_t k_block;     // all of k where that is not cut
  int64_t row_stride;  // of a copied block of A: an odd number of lines, which spread over all sets
  size_t block_size;   // elements that a worker needs for such blocks
  Tasks tasks;

  Cut(int64_t n, const RowPlan& plan, int threads) {
    const int64_t m = plan.count(), k = plan.k(), panels = panels_f32(n);
    const double macs = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    serial = macs < kSerialMacs;
    const bool whole = k <= kWholeK || m <= kTile || panels == 1;
    k_block = divide_up(k, whole ? 1 : divide_up(k, kBlockK));
    row_stride = divide_up(k_block, 2 * kLine) * 2 * kLine + kLine;
    // Of copied rows, which lie close together, twice as many fit the second-level cache.
    tasks = cut_tasks(m, panels, whole ? k * 4 : row_stride * 2, kTile, kPanelTile,
                      serial ? 1 : threads);
    block_size = whole ? 0 : static_cast<size_t>(tasks.row_block * row_stride);
  }
};

/// Elements [begin, begin + count) of a row, which starts at `row`.
void copy_elements(const MatmulF32& p, const float* row, int64_t begin, int64_t count, float* to) {
  for (int64_t done = 0; done < count;) {
    const int64_t segment = (begin + done) / p.length, first = (begin + done) % p.length;
    const int64_t run = std::min(p.length - first, count - done);
    std::memcpy(to + done, row + p.segment[segment] + first,
                static_cast<size_t>(run) * sizeof(float));
    done += run;
  }
}

/// A core on rows of any length: in blocks of k, for which `block` takes the elements of A. The
/// sums wait in `out`, unclipped.
void in_blocks(MatmulF32Core& core, const MatmulF32& p, const Cut& cut, const float* const* rows,
               int64_t m, float* out, int64_t stride, int64_t panel_begin, int64_t panel_end,
               float* block) {
  constexpr int64_t kNoOffset = 0;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float* copies[RowPlan::kMaxRows];
  for (int64_t i = 0; i < m; ++i) copies[i] = block + i * cut.row_stride;
  for (int64_t k = 0; k < p.k(); k += cut.k_block) {
    MatmulF32 part = p;
    part.b += k * kPanelF32;
    part.segment = &kNoOffset, part.segments = 1;
    part.length = std::min(cut.k_block, p.k() - k);
    if (k > 0) part.bias = nullptr;
    if (k + part.length < p.k()) part.lo = -kInfinity, part.hi = kInfinity;
    for (int64_t i = 0; i < m; ++i)
      copy_elements(p, rows[i], k, part.length, block + i * cut.row_stride);
    core(part, copies, m, out, stride, panel_begin, panel_end);
  }
}

}  // namespace

std::span<const MatmulF32Variant> matmul_f32_variants() {
  return kVariants;
}

size_t matmul_f32_workspace(int64_t n, const RowPlan& plan, int threads) {
  if (n == 0 || plan.count() == 0) return 0;
  return static_cast<size_t>(threads) * Cut(n, plan, threads).block_size * sizeof(float);
}

void matmul_f32(const MatmulF32Variant& variant, MatmulF32 p, const RowPlan& plan,
                const MatmulF32Data& data, ThreadPool& pool) {
  p.segment = plan.segment.data();
  p.segments = static_cast<int64_t>(plan.segment.size());
  p.length = plan.length;
  p.panel_stride = p.k() * kPanelF32;
  const int64_t m = plan.count(), panels = panels_f32(p.n);
  if (m == 0 || panels == 0) return;
  const Cut cut(p.n, plan, pool.threads());
  const Tasks& tasks = cut.tasks;
  const auto work = [&](int64_t begin, int64_t end, int worker) {
    const float* rows[RowPlan::kMaxRows];
    float* block =
        reinterpret_cast<float*>(data.workspace) + static_cast<size_t>(worker) * cut.block_size;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t i = task / tasks.panel_blocks * tasks.row_block;
      const int64_t q = task % tasks.panel_blocks * tasks.panel_block;
      const int64_t count = std::min(tasks.row_block, m - i);
      const int64_t q_end = std::min(q + tasks.panel_block, panels);
      plan.pointers(data.a, i, count, rows);
      float* out = data.out + i * data.stride;
      if (cut.k_block < p.k())
        in_blocks(*variant.core, p, cut, rows, count, out, data.stride, q, q_end, block);
      else
        variant.core(p, rows, count, out, data.stride, q, q_end);
    }
  };
  pool.parallel_for(tasks.count(), cut.serial ? tasks.count() : 1, work);
}

}  // namespace nibble::kernels
