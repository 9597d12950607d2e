#include "deploy/kernels/matmul/rows.h"

#include <algorithm>
#include <cstring>

#include "deploy/base/divide.h"

namespace nibble::kernels {
namespace {

constexpr int64_t kBlockBytes = 128 * 1024;  // of A: leaves room for panels in a 512 KiB L2
constexpr int64_t kTasksPerThread = 4;
constexpr int64_t kEvenRows = 4;

}  // namespace

RowPlan RowPlan::matrix(int64_t m, int64_t k, int64_t stride) {
  RowPlan plan;
  plan.rows[2] = plan.size[2] = m;
  plan.pixel = stride;
  plan.length = k;
  return plan;
}

void RowPlan::copy_row(const int8_t* row, int64_t padded, int8_t* to) const {
  for (const int64_t offset : segment) {
    std::memcpy(to, row + offset, static_cast<size_t>(length));
    to += length;
  }
  std::memset(to, 0, static_cast<size_t>(padded - k()));
}

void RowPlan::offsets(int64_t begin, int64_t count, int64_t* out) const {
  int64_t y2 = begin % rows[2], rest = begin / rows[2];
  int64_t y1 = rest % rows[1];
  rest /= rows[1];
  int64_t y0 = rest % rows[0], b = rest / rows[0];
  for (int64_t i = 0; i < count;) {
    int64_t at = ((b * size[0] + y0 * step[0]) * size[1] + y1 * step[1]) * size[2] + y2 * step[2];
    at *= pixel;
    const int64_t run = std::min(count - i, rows[2] - y2);
    for (const int64_t end = i + run; i < end; ++i, at += step[2] * pixel) out[i] = at;
    y2 = 0;
    if (++y1 < rows[1]) continue;
    y1 = 0;
    if (++y0 < rows[0]) continue;
    y0 = 0;
    ++b;
  }
}

Tasks cut_tasks(int64_t m, int64_t panels, int64_t row_bytes, int64_t tile, int64_t panel_tile,
                int threads) {
  const int64_t fits = kBlockBytes / std::max<int64_t>(row_bytes, 1) / tile * tile;
  const int64_t limit = std::clamp(fits, tile, RowPlan::kMaxRows / tile * tile);
  int64_t blocks = std::max<int64_t>(divide_up(m, limit), 1);
  const int64_t wanted = threads > 1 ? threads * kTasksPerThread : 1;
  // Blocks of four tiles or more, but for two where each thread then gets one.
  blocks = std::max(
      {blocks, std::min(wanted, m / (4 * tile)), std::min<int64_t>(threads, m / (2 * tile))});
  Tasks tasks;
  // Few blocks on several threads are made even; whole tiles matter less.
  const int64_t unit = threads > 1 && blocks < 2 * wanted ? kEvenRows : tile;
  tasks.row_block = std::min(divide_up(divide_up(m, blocks), unit) * unit, limit);
  tasks.row_blocks = std::max<int64_t>(divide_up(m, tasks.row_block), 1);
  const int64_t groups = divide_up(panels, panel_tile);
  const int64_t cuts = std::clamp<int64_t>(divide_up(wanted, tasks.row_blocks), 1, groups);
  tasks.panel_block = divide_up(groups, cuts) * panel_tile;
  tasks.panel_blocks = divide_up(panels, tasks.panel_block);
  return tasks;
}

}  // namespace nibble::kernels
