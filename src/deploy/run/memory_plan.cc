#include "deploy/run/memory_plan.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>

#include "deploy/base/tensor.h"

namespace nibble::run {
namespace {

constexpr size_t kLimit = size_t{1} << 62;

bool live_together(const Block& a, const Block& b) {
  return a.first <= b.last && b.first <= a.last;
}

/// The offset of the smallest gap of at least `bytes` between `placed` (ordered by offset), or the
/// end of the last.
size_t best_gap(size_t bytes, std::span<const size_t> placed, std::span<const Block> blocks,
                std::span<const size_t> offsets) {
  size_t end = 0, best = 0, best_size = std::numeric_limits<size_t>::max();
  for (size_t other : placed) {
    if (offsets[other] >= end + bytes && offsets[other] - end < best_size) {
      best = end;
      best_size = offsets[other] - end;
    }
    end = std::max(end, offsets[other] + align_up(blocks[other].bytes));
  }
  return best_size == std::numeric_limits<size_t>::max() ? end : best;
}

}  // namespace

Result<MemoryPlan> plan_memory(std::span<const Block> blocks) {
  size_t sum = 0;
  for (const Block& block : blocks) {
    if (block.bytes >= kLimit || (sum += align_up(block.bytes)) >= kLimit)
      return Status(StatusCode::kOutOfMemory, "activations need more than 2^62 bytes");
  }
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  MemoryPlan plan;
  plan.offsets.resize(blocks.size());
  std::vector<size_t> placed, neighbours;  // `placed`: ordered by offset
  for (size_t index : order) {
    const Block& block = blocks[index];
    neighbours.clear();
    for (size_t other : placed)
      if (live_together(block, blocks[other])) neighbours.push_back(other);
    const size_t bytes = align_up(block.bytes);
    plan.offsets[index] = best_gap(bytes, neighbours, blocks, plan.offsets);
    plan.bytes = std::max(plan.bytes, plan.offsets[index] + bytes);
    const auto at = std::upper_bound(placed.begin(), placed.end(), index, [&](size_t a, size_t b) {
      return plan.offsets[a] < plan.offsets[b];
    });
    placed.insert(at, index);
  }
  return plan;
}

}  // namespace nibble::run
