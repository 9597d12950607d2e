#include <algorithm>
#include <cstring>

#include "deploy/base/divide.h"
#include "deploy/format/format.h"
#include "deploy/kernels/matmul/matmul.h"

namespace nibble::kernels {
namespace {

constexpr MatmulS8Variant kVariants[] = {
#define NIBBLE_MATMUL_F32(isa, space)
#define NIBBLE_MATMUL_S8(isa, space) {Isa::isa, "matmul_s8/" #space, &space::kMatmulS8},
#include "deploy/kernels/matmul/kernels.inc"
#undef NIBBLE_MATMUL_F32
#undef NIBBLE_MATMUL_S8
};

constexpr int64_t kRowTile = 12;  // a multiple of the cores' rows
constexpr int64_t kPanelTile = 2;
// Codes of k in a block: 64 channels are 32 KiB, what a first-level cache holds. Up to kWholeK a
// second block would cost more than it saves.
constexpr int64_t kBlockK = 512, kWholeK = kMostBlockK;
static_assert(kBlockK <= kMostBlockK);

using format::round_up;

/// How a product is cut, and where its workspace goes: what all workers share, then a part for
/// each.
struct Cut {
  int64_t k_block;
  bool serial;
  Tasks tasks;
  int64_t row_stride;  // of dense rows
  size_t unpacked_at, scratch_at, sums_at, worker_bytes, shared_bytes;

  Cut(const MatmulS8Core& core, const MatmulS8& p, const RowPlan& plan, int threads) {
    const int64_t m = plan.count(), k = plan.k();
    const int64_t blocks = p.k_padded <= kWholeK ? 1 : divide_up(p.k_padded, kBlockK);
    k_block = round_up(divide_up(p.k_padded, blocks), kStepS8);
    const double macs = static_cast<double>(m) * static_cast<double>(p.n) * static_cast<double>(k);
    serial = macs < core.serial_macs;
    // Dense rows are copied whole and fill the second-level cache.
    const int64_t row_bytes = core.dense_rows ? p.k_padded / 8 : std::min(k, k_block);
    tasks = cut_tasks(m, divide_up(p.n, kPanelS8), row_bytes, kRowTile, kPanelTile,
                      serial ? 1 : threads);
    row_stride = p.k_padded / kStepS8 % 2 ? p.k_padded : p.k_padded + kStepS8;
    const int64_t dense = core.dense_rows ? round_up(tasks.row_block, 16) * row_stride : 0;
    unpacked_at = static_cast<size_t>(dense);
    const auto codes = static_cast<size_t>(kBlockChannelsS8 * k_block);
    scratch_at = unpacked_at + (p.bits < 8 ? codes : 0);
    sums_at = scratch_at + codes * core.code_scratch;
    worker_bytes =
        sums_at + static_cast<size_t>(round_up(tasks.row_block, 16) * kBlockChannelsS8) * 4;
    shared_bytes = static_cast<size_t>(m == 1 ? p.k_padded : 0);
  }
};

/// Works through the tasks of one worker.
class Worker {
 public:
  Worker(const MatmulS8Core& core, const MatmulS8& p, const RowPlan& plan, const MatmulS8Data& data,
         const Cut& cut, std::byte* workspace)
      : core_(core),
        p_(p),
        plan_(plan),
        data_(data),
        cut_(cut),
        dense_(reinterpret_cast<int8_t*>(workspace)),
        unpacked_(reinterpret_cast<uint8_t*>(workspace + cut.unpacked_at)),
        scratch_(workspace + cut.scratch_at),
        sums_(reinterpret_cast<int32_t*>(workspace + cut.sums_at)) {}

  void task(int64_t index) {
    const Tasks& tasks = cut_.tasks;
    const int64_t row = index / tasks.panel_blocks * tasks.row_block;
    const int64_t panel = index % tasks.panel_blocks * tasks.panel_block;
    const int64_t panels = divide_up(p_.n, kPanelS8);
    const int64_t end = std::min(panel + tasks.panel_block, panels);
    row_ = row;
    m_ = std::min(tasks.row_block, plan_.count() - row);
    plan_.pointers(data_.a, row, m_, rows_);
    if (core_.dense_rows) make_dense();
    for (int64_t q = panel; q < end;) q += block_of(q);
    if (data_.sums) return;
    const int64_t n = panel * kPanelS8;
    data_.copy(data_.out + row * data_.stride + n, m_, std::min(end * kPanelS8, p_.n) - n,
               data_.stride);
  }

 private:
  void make_dense() {
    for (int64_t i = 0; i < m_; ++i) {
      int8_t* to = dense_ + i * cut_.row_stride;
      plan_.copy_row(rows_[i], p_.k_padded, to);
      rows_[i] = to;
    }
  }

  /// The product of the panels from q on that go together; returns how many those are.
  int64_t block_of(int64_t q) {
    const int64_t n = q * kPanelS8, left = p_.n_padded - n;
    const int64_t panels = left >= 2 * kPanelS8 && p_.n - n > kPanelS8 ? 2 : 1;
    const int64_t width = std::min(left, kPanelS8);  // one tile in the last panel of a group
    MatmulS8 p = p_;
    if (core_.dense_rows) p.segment = &kNoOffset, p.segments = 1, p.length = p.k_padded;
    BlockS8 block;
    block.step_bytes = width * kStepS8;
    block.tiles = static_cast<int>(
        divide_up(std::min({p.n - n, panels * kPanelS8, panels * width}), kTileS8));
    block.n = n;
    block.sums = sums_;
    block.scratch = scratch_;
    int8_t* out = data_.sums ? nullptr : data_.out + row_ * data_.stride + n;
    if (data_.residual) block.residual = data_.residual + (out - data_.out);
    for (int64_t k = 0; k < p.k_padded; k += cut_.k_block) {
      block.k_begin = k;
      block.k_end = std::min(k + cut_.k_block, p.k());
      block.first = k == 0;
      block.last = k + cut_.k_block >= p.k_padded && !data_.sums;
      place_weights(block, panels, width, std::min(k + cut_.k_block, p.k_padded));
      core_.block(p, block, rows_, data_.row_sums ? data_.row_sums + row_ : nullptr, m_, out,
                  data_.stride);
    }
    if (data_.sums) hand_out(n, std::min(p.n - n, block.tiles * kTileS8));
    return panels;
  }

  /// The sums of n channels from `channel` on.
  void hand_out(int64_t channel, int64_t n) const {
    for (int64_t i = 0; i < m_; ++i)
      std::memcpy(data_.sums + (row_ + i) * p_.n + channel, sums_ + i * kBlockChannelsS8,
                  static_cast<size_t>(n) * sizeof(int32_t));
  }

  /// Where the codes of a block lie: in the stream, or unpacked.
  void place_weights(BlockS8& block, int64_t panels, int64_t width, int64_t k_end) {
    const int64_t panel_bytes = kPanelS8 * p_.k_padded / 8 * p_.bits;  // of a whole panel
    const std::byte* stream =
        p_.b + block.n / kPanelS8 * panel_bytes + block.k_begin * width / 8 * p_.bits;
    if (p_.bits == 8) {
      block.b = reinterpret_cast<const uint8_t*>(stream);
      block.panel_bytes = panel_bytes;
      return;
    }
    block.b = unpacked_;
    block.panel_bytes = width * (k_end - block.k_begin);
    for (int64_t q = 0; q < panels; ++q)
      core_.unpack(p_.bits, stream + q * panel_bytes, block.panel_bytes / kTileBytesS8,
                   unpacked_ + q * block.panel_bytes);
  }

  static constexpr int64_t kNoOffset = 0;

  const MatmulS8Core& core_;
  const MatmulS8& p_;
  const RowPlan& plan_;
  const MatmulS8Data& data_;
  const Cut& cut_;
  int8_t* dense_;
  uint8_t* unpacked_;
  std::byte* scratch_;
  int32_t* sums_;
  int64_t row_ = 0, m_ = 0;
  const int8_t* rows_[RowPlan::kMaxRows];
};

}  // namespace

std::span<const MatmulS8Variant> matmul_s8_variants() {
  return kVariants;
}

bool needs_row_sums(const MatmulS8Variant& variant, const MatmulS8& p, int64_t rows) {
  return rows == 1 || !variant.core->folds_zeros || !variant.core->folds_zeros(p);
}

size_t matmul_s8_workspace(const MatmulS8Variant& variant, const MatmulS8& p, const RowPlan& plan,
                           int threads) {
  const Cut cut(*variant.core, p, plan, threads);
  return cut.shared_bytes + static_cast<size_t>(threads) * cut.worker_bytes;
}

void matmul_s8(const MatmulS8Variant& variant, MatmulS8 p, const RowPlan& plan,
               const MatmulS8Data& data, ThreadPool& pool) {
  const MatmulS8Core& core = *variant.core;
  p.segment = plan.segment.data();
  p.segments = static_cast<int64_t>(plan.segment.size());
  p.length = plan.length;
  const int64_t m = plan.count(), panels = divide_up(p.n, kPanelS8);
  if (m == 0 || panels == 0) return;
  const Cut cut(core, p, plan, pool.threads());
  if (m == 1 && !data.sums) {
    auto* row = reinterpret_cast<int8_t*>(data.workspace);
    const int8_t* from;
    plan.pointers(data.a, 0, 1, &from);
    plan.copy_row(from, p.k_padded, row);
    pool.parallel_for(panels, cut.serial ? panels : 1, [&](int64_t begin, int64_t end) {
      core.vector(p, row, data.row_sums[0], data.out, data.residual, begin, end);
      const int64_t n = begin * kPanelS8;
      data.copy(data.out + n, 1, std::min(end * kPanelS8, p.n) - n, data.stride);
    });
    return;
  }
  const auto work = [&](int64_t begin, int64_t end, int worker) {
    Worker w(core, p, plan, data, cut,
             data.workspace + cut.shared_bytes + static_cast<size_t>(worker) * cut.worker_bytes);
    for (int64_t task = begin; task < end; ++task) w.task(task);
  };
  pool.parallel_for(cut.tasks.count(), cut.serial ? cut.tasks.count() : 1, work);
}

}  // namespace nibble::kernels
