#include "deploy/kernels/requantise/sums.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "deploy/kernels/simd/output_s8_reference.h"

namespace nibble::kernels {
namespace {

TEST(SplitBytes, AreEveryCode) {
  std::vector<int16_t> codes;
  for (int32_t q = -32768; q <= 32767; ++q) codes.push_back(static_cast<int16_t>(q));
  std::vector<int8_t> high(codes.size() + 1, 77), low(codes.size() + 1, 77);
  split_bytes(codes.data(), static_cast<int64_t>(codes.size()), high.data(), low.data());
  for (size_t i = 0; i < codes.size(); ++i) {
    ASSERT_EQ(256 * high[i] + low[i] + 128, codes[i]);
    ASSERT_EQ(high[i], high_byte(codes[i]));
    ASSERT_EQ(low[i], low_byte(codes[i]));
  }
  EXPECT_EQ(high.back(), 77);
  EXPECT_EQ(low.back(), 77);
}

/// 8-bit results have a definition already (output_s8): ties, ends, results beyond both bounds.
TEST(CodesOfSums, AreTheOutputStage) {
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
  const std::vector<int32_t> low = {0, 1, -1, 3, 5, -5, 250, -300, 1 << 24, kMost, -kMost - 1};
  const auto n = static_cast<int64_t>(low.size());
  const std::vector<int32_t> high = {0, 7, -7, 0, 0, 0, 0, 1, -(1 << 22), 0, 0};
  const std::vector<int32_t> zero(low.size(), 128), bias(low.size(), 4), m0(low.size(), 1 << 30),
      shift(low.size(), 31);
  const std::vector<float> half(low.size(), 0.5f);
  for (const bool binary : {false, true})
    for (const bool fixed : {false, true})
      for (const int32_t row_sum : {0, -3}) {
        OutputS8 out{.bias = bias.data(), .w_zero = zero.data()};
        out.binary = binary, out.y_zero = binary ? 0 : 3, out.y_min = -100, out.y_max = 90;
        if (fixed)
          out.m0 = m0.data(), out.shift = shift.data();
        else
          out.multiplier = half.data();
        std::vector<int8_t> y(low.size() + 1, 77);
        codes_of_sums(RowOfSums{low.data(), high.data(), row_sum}, out, 0, n, y.data());
        for (int64_t i = 0; i < n; ++i) {
          const auto at = static_cast<size_t>(i);
          const auto sum = static_cast<int32_t>(static_cast<uint32_t>(low[at]) +
                                                (static_cast<uint32_t>(high[at]) << 8));
          EXPECT_EQ(y[at], portable::output_s8(out, i, sum, row_sum)) << i;
        }
        EXPECT_EQ(y.back(), 77);
      }
}

TEST(CodesOfSums, ReachBothEndsOfSixteenBits) {
  const int32_t low[] = {40000, -40000, 65535, 65534, 1, -1};
  const int32_t zeros[6] = {};
  const float half[] = {1, 1, 0.5f, 0.5f, 0.5f, 0.5f};
  OutputS8 out{.bias = zeros, .w_zero = zeros, .multiplier = half};
  out.y_min = -32768, out.y_max = 32767;
  int16_t y[6];
  codes_of_sums(RowOfSums{.low = low}, out, 0, 6, y);
  EXPECT_EQ(std::vector<int16_t>(y, y + 6),
            (std::vector<int16_t>{32767, -32768, 32767, 32767, 0, 0}));
}

}  // namespace
}  // namespace nibble::kernels
