#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "deploy/base/status.h"

namespace nibble::run {

/// A tensor that needs memory from step `first` to step `last`, both included.
struct Block {
  size_t bytes = 0;
  size_t first = 0;
  size_t last = 0;
};

struct MemoryPlan {
  std::vector<size_t> offsets;  // one a block, multiples of 64
  size_t bytes = 0;             // of the arena
};

/// Places blocks in one arena so that two that live at the same step never overlap. Largest first,
/// each in the smallest gap that holds it (Pisarchyk & Lee 2020, "greedy by size"); deterministic.
/// kOutOfMemory when the sum passes 2^62.
Result<MemoryPlan> plan_memory(std::span<const Block> blocks);

}  // namespace nibble::run
