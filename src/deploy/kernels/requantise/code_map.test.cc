#include "deploy/kernels/requantise/code_map.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <vector>

#include "deploy/kernels/requantise/codes.h"

namespace nibble::kernels {
namespace {

using Function = std::function<int(int)>;

CodeMap map_of(const Function& f) {
  int8_t results[256];
  for (int q = -128; q < 128; ++q) results[q + 128] = static_cast<int8_t>(f(q));
  return make_code_map(results);
}

/// f of random codes, every one among them, on every ISA: all lengths, in place, nothing beyond.
void expect_everywhere(const Function& f) {
  const CodeMap map = map_of(f);
  std::mt19937 random(1);
  std::vector<int8_t> x;
  for (int i = 0; i < 700; ++i) x.push_back(static_cast<int8_t>(i < 256 ? i : random()));
  for (const auto& [isa, table] : code_variants()) {
    if (!cpu_runs(isa)) continue;
    for (int64_t n : {0, 1, 15, 16, 31, 33, 63, 65, 127, 128, 255, 257, 512, 700}) {
      std::vector<int8_t> y(701, 77), same = x;
      table->map(map, x.data(), y.data(), n);
      table->map(map, same.data(), same.data(), n);
      for (int64_t i = 0; i < 700; ++i) {
        ASSERT_EQ(y[i], i < n ? f(x[i]) : 77) << table->name << " " << int{x[i]};
        ASSERT_EQ(same[i], i < n ? f(x[i]) : x[i]) << table->name << " " << int{x[i]};
      }
    }
  }
}

TEST(CodeMap, FunctionsThatClimb) {
  for (int levels : {2, 4, 8, 16, 32, 64, 128, 256})
    expect_everywhere([&](int q) { return (q + 128) * levels / 256 - levels / 2; });
  EXPECT_EQ(map_of([](int q) { return (q + 128) / 64; }).steps, 0);  // between blocks
  EXPECT_EQ(map_of([](int q) { return (q + 135) / 64; }).steps, 1);
  EXPECT_EQ(map_of([](int q) { return q; }).steps, 15);
}

TEST(CodeMap, SignsConstantsAndJumps) {
  expect_everywhere([](int q) { return q < -3 ? -1 : 1; });
  expect_everywhere([](int) { return -128; });
  expect_everywhere([](int q) { return q < 5 ? -8 : 8; });      // the most that steps tell
  expect_everywhere([](int q) { return q < 5 ? -8 : 9; });      // one more
  expect_everywhere([](int q) { return q < 0 ? -128 : 127; });  // between two blocks
  EXPECT_EQ(map_of([](int q) { return q < 5 ? -8 : 8; }).steps, 16);
  EXPECT_EQ(map_of([](int q) { return q < 5 ? -8 : 9; }).steps, -1);
  EXPECT_EQ(map_of([](int q) { return q < 0 ? -128 : 127; }).steps, 0);
}

TEST(CodeMap, AnyFunction) {
  expect_everywhere([](int q) { return -1 - q; });
  std::mt19937 random(2);
  std::vector<int> table(256);
  for (int& y : table) y = static_cast<int8_t>(random());
  expect_everywhere([&](int q) { return table[static_cast<size_t>(q + 128)]; });
}

TEST(CodeCopy, RowsAndNothingBetweenThem) {
  const CodeMap map = map_of([](int q) { return q / 2; });
  std::vector<int8_t> from(100), to(100, 77);
  for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<int8_t>(i);
  const CodeCopy copy{code_variants()[0].table->map, &map, from.data(), to.data()};
  copy(from.data() + 20, 3, 7, 10);
  copy(from.data() + 60, 2, 10, 10);
  for (int i = 0; i < 100; ++i) {
    const bool row = (i >= 20 && i < 50 && i % 10 < 7) || (i >= 60 && i < 80);
    EXPECT_EQ(to[static_cast<size_t>(i)], row ? i / 2 : 77) << i;
  }
  CodeCopy{}(from.data(), 10, 10, 10);  // no second result
}

}  // namespace
}  // namespace nibble::kernels
