#include "quant/pipeline/machine_limits.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "deploy/base/tensor.h"
#include "quant/pipeline/read_stream.h"

namespace nibble::pipeline {
namespace {

MachineLimits machine() {
  return {.int8_gops = 200,
          .float_gops = 100,
          .levels = {{"L1", 1000, 80}, {"L2", 10000, 40}, {"DRAM", SIZE_MAX, 10}}};
}

LayerWork work(double macs, double bytes, bool integer = true) {
  return {.macs = macs, .activation_bytes = bytes, .integer = integer};
}

TEST(MachineLimits, TheSmallestLevelThatHoldsTheBytes) {
  const MachineLimits limits = machine();
  EXPECT_EQ(limits.gbs_of(work(0, 0)), 80);
  EXPECT_EQ(limits.gbs_of(work(0, 1000)), 80);
  EXPECT_EQ(limits.gbs_of(work(0, 1001)), 40);
  EXPECT_EQ(limits.gbs_of(work(0, 1e12)), 10);
}

TEST(MachineLimits, ShareIsTheLargerOfComputeAndBandwidth) {
  const MachineLimits limits = machine();
  EXPECT_DOUBLE_EQ(share_of(limits, work(50e9, 0), 1), 0.5);
  EXPECT_DOUBLE_EQ(share_of(limits, work(50e9, 0, false), 1), 1);
  EXPECT_DOUBLE_EQ(share_of(limits, work(0, 1000), 25e-9), 0.5);
  EXPECT_DOUBLE_EQ(share_of(limits, work(50e9, 4e9), 1), 0.5);
  EXPECT_DOUBLE_EQ(share_of(limits, work(50e9, 8e9), 1), 0.8);
  EXPECT_EQ(share_of(limits, work(1, 1), 0), 0);
}

TEST(MachineLimits, MeasuredOnesArePositive) {
  const MachineLimits limits =
      measure_limits({.threads = 2, .isa = isa_from_environment().value()});
  EXPECT_GT(limits.int8_gops, 0);
  EXPECT_GT(limits.float_gops, 0);
  ASSERT_EQ(limits.levels.size(), 4u);
  for (size_t i = 0; i < limits.levels.size(); ++i) {
    EXPECT_GT(limits.levels[i].gbs, 0);
    if (i) {
      EXPECT_GE(limits.levels[i].bytes, limits.levels[i - 1].bytes);
    }
  }
}

TEST(ReadStream, EveryIsaReadsEveryWord) {
  Buffer memory(2048);
  auto* words = reinterpret_cast<uint64_t*>(memory.data());
  uint64_t expected = 0;
  for (uint64_t i = 0; i < 256; ++i) expected ^= words[i] = (i + 1) * 0x9e3779b97f4a7c15;
  for (const ReadStream& stream : read_streams()) {
    if (!cpu_runs(stream.isa)) continue;
    EXPECT_EQ(stream.read(memory.data(), 2048), expected) << name_of(stream.isa);
    EXPECT_EQ(stream.read(memory.data(), 0), 0u);
  }
}

}  // namespace
}  // namespace nibble::pipeline
