#include "deploy/run/memory_plan.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>

namespace nibble::run {
namespace {

TEST(MemoryPlan, AChainNeedsItsTwoLargestNeighbours) {
  const Block blocks[] = {{640, 0, 1}, {128, 1, 2}, {640, 2, 3}, {64, 3, 4}};
  const auto plan = plan_memory(blocks);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan.value().bytes, 768u);
}

TEST(MemoryPlan, TakesTheSmallestGapThatFits) {
  // At step 1 the blocks of 256 leave no gap; the one of 64 fits where 128 has died.
  const Block blocks[] = {{256, 0, 9}, {128, 0, 0}, {192, 0, 9}, {64, 1, 9}};
  const auto plan = plan_memory(blocks);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan.value().bytes, 576u);
}

TEST(MemoryPlan, NothingAndTooMuch) {
  EXPECT_EQ(plan_memory({}).value().bytes, 0u);
  const Block huge[] = {{size_t{1} << 61, 0, 0}, {size_t{1} << 61, 0, 0}};
  EXPECT_EQ(plan_memory(huge).status().code(), StatusCode::kOutOfMemory);
}

RC_GTEST_PROP(MemoryPlan, BlocksThatLiveTogetherNeverOverlap, ()) {
  const auto count = *rc::gen::inRange<size_t>(0, 40);
  std::vector<Block> blocks(count);
  size_t sum = 0;
  for (Block& block : blocks) {
    block.bytes = *rc::gen::inRange<size_t>(0, 1000);
    block.first = *rc::gen::inRange<size_t>(0, 20);
    block.last = block.first + *rc::gen::inRange<size_t>(0, 6);
    sum += (block.bytes + 63) / 64 * 64;
  }
  const MemoryPlan plan = plan_memory(blocks).value();
  RC_ASSERT(plan.bytes <= sum);
  for (size_t i = 0; i < count; ++i) {
    RC_ASSERT(plan.offsets[i] % 64 == 0u);
    RC_ASSERT(plan.offsets[i] + blocks[i].bytes <= plan.bytes);
    for (size_t j = 0; j < i; ++j) {
      const bool together = blocks[i].first <= blocks[j].last && blocks[j].first <= blocks[i].last;
      const bool apart = plan.offsets[i] + blocks[i].bytes <= plan.offsets[j] ||
                         plan.offsets[j] + blocks[j].bytes <= plan.offsets[i];
      RC_ASSERT(!together || apart);
    }
  }
}

}  // namespace
}  // namespace nibble::run
