// The definition of the output stage for weights and results of one bit.

#include <gtest/gtest.h>

#include <climits>

#include "deploy/kernels/simd/output_s8_reference.h"

namespace nibble::kernels {
namespace {

struct OneChannel {
  int32_t bias = 0, w_zero = 0, m0 = 0, shift = 31;
  float multiplier = 0;
  OutputS8 output{.bias = &bias, .w_zero = &w_zero};
  OneChannel(float m, bool fixed) : multiplier(m) {
    const numeric::FixedMultiplier split = numeric::to_fixed(m);
    m0 = split.m0, shift = 31 - split.exponent;
    if (fixed)
      output.m0 = &m0, output.shift = &shift;
    else
      output.multiplier = &multiplier;
  }
};

TEST(OutputS8, BinaryWeightsAreTwiceTheSumLessTheRowSum) {
  // u = 1 0 1, a = 5 -7 9: (2u - 1) a = 5 + 7 + 9 = 21.
  for (bool fixed : {false, true}) {
    OneChannel c(1.0f, fixed);
    c.w_zero = 1, c.bias = 2, c.output.sum_shift = 1;
    EXPECT_EQ(portable::output_s8(c.output, 0, 14, 7), 23);
  }
}

TEST(OutputS8, ShiftedSumsWrapLikeTheRest) {
  OneChannel c(1.0f, false);
  c.w_zero = 1, c.bias = 3, c.output.sum_shift = 1;
  EXPECT_EQ(portable::output_s8(c.output, 0, INT_MAX, -2), 3);  // 2^32 - 2 + 3 + 2
  EXPECT_EQ(portable::output_s8(c.output, 0, INT_MIN, 0), 3);
}

TEST(OutputS8, BinaryResultsAreTheSignBeforeRounding) {
  for (bool fixed : {false, true}) {
    OneChannel c(0.3f, fixed);
    c.output.binary = true;
    for (const auto& [sum, sign] : {std::pair{-1, -1}, {0, 1}, {1, 1}, {INT_MIN, -1}, {INT_MAX, 1}})
      EXPECT_EQ(portable::output_s8(c.output, 0, sum, 0), sign) << sum;
    c.output.y_min = 1;  // a fused activation that keeps the upper code alone
    EXPECT_EQ(portable::output_s8(c.output, 0, -5, 0), 1);
    c.output.y_min = c.output.y_max = -1;
    EXPECT_EQ(portable::output_s8(c.output, 0, 5, 0), -1);
  }
}

TEST(OutputS8, AProductOfZeroIsPositive) {
  for (bool fixed : {false, true}) {
    OneChannel c(0.0f, fixed);
    c.output.binary = true;
    EXPECT_EQ(portable::output_s8(c.output, 0, -5, 0), 1);
  }
}

}  // namespace
}  // namespace nibble::kernels
