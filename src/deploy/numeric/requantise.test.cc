#include "deploy/numeric/requantise.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace nibble::numeric {
namespace {

using Fixed = FixedMultiplier;

TEST(ToFixed, SplitsTheExamplesOfTheLiterature) {
  EXPECT_EQ(to_fixed(0.5), (Fixed{1 << 30, 0}));
  EXPECT_EQ(to_fixed(1), (Fixed{1 << 30, 1}));
  EXPECT_EQ(to_fixed(0.75), (Fixed{1610612736, 0}));
  EXPECT_EQ(to_fixed(1.5), (Fixed{1610612736, 1}));
  EXPECT_EQ(to_fixed(0.00117), (Fixed{1286428604, -9}));
  EXPECT_EQ(to_fixed(0), Fixed{});
}

TEST(ToFixed, CarriesIntoTheExponentAndFlushesTinyMultipliers) {
  EXPECT_EQ(to_fixed(std::nextafter(1.0, 0.0)), (Fixed{1 << 30, 1}));
  EXPECT_EQ(to_fixed(std::ldexp(1.0, -32)), (Fixed{1 << 30, -31}));
  EXPECT_EQ(to_fixed(std::ldexp(1.0, -33)), Fixed{});
  EXPECT_EQ(to_fixed(std::numeric_limits<double>::denorm_min()), Fixed{});
  EXPECT_EQ(to_fixed(std::nextafter(kMultiplierLimit, 0.0)).exponent, 30);
}

TEST(ToFixed, RelativeErrorIsBelowTwoToMinus31) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    const double m = std::exp2(std::uniform_real_distribution(-31.0, 28.9)(random));
    const Fixed f = to_fixed(m);
    EXPECT_LE(std::abs(std::ldexp(f.m0, f.exponent - 31) - m), m * 0x1p-31);
    EXPECT_GE(f.m0, 1 << 30);
  }
}

TEST(Binary, IsTheSignBeforeRoundingAndPositiveForZero) {
  for (double m : {1e-9, 0.3, 1.0, 1e6})
    for (int32_t acc : {std::numeric_limits<int32_t>::min(), -7, -1, 0, 1, 7,
                        std::numeric_limits<int32_t>::max()}) {
      EXPECT_EQ(binary_float(acc, static_cast<float>(m)), acc < 0 ? -1 : 1);
      EXPECT_EQ(binary_fixed(acc, to_fixed(m)), acc < 0 ? -1 : 1);
    }
  EXPECT_EQ(binary_float(-5, 0.0f), 1);
  EXPECT_EQ(binary_fixed(-5, Fixed{}), 1);
}

TEST(RequantiseFixed, IsOneRoundingTowardsPlusInfinityOnTies) {
  // Variant A (double rounding) gives -200, -600, -24 here.
  EXPECT_EQ(requantise_fixed(-1995, to_fixed(0.1)), -199);
  EXPECT_EQ(requantise_fixed(-1998, to_fixed(0.3)), -599);
  EXPECT_EQ(requantise_fixed(-1910, to_fixed(0.0123)), -23);
  EXPECT_EQ(requantise_fixed(-1, to_fixed(0.5)), 0);
  EXPECT_EQ(requantise_fixed(1, to_fixed(0.5)), 1);
  EXPECT_EQ(requantise_fixed(123456, Fixed{}), 0);
}

TEST(RequantiseFixed, EqualsWideArithmetic) {
  std::mt19937_64 random(2);
  std::uniform_int_distribution<int32_t> any(std::numeric_limits<int32_t>::min());
  for (int i = 0; i < 1000000; ++i) {
    const int32_t acc = any(random) >> (random() % 32);
    const Fixed m = to_fixed(std::exp2(std::uniform_real_distribution(-34.0, 28.9)(random)));
    // floor(acc m0 / 2^(31-e) + 1/2) = floor((2 acc m0 + 2^(31-e)) / 2^(32-e))
    const __int128 numerator = 2 * __int128{acc} * m.m0 + (__int128{1} << (31 - m.exponent));
    const __int128 divisor = __int128{1} << (32 - m.exponent);
    __int128 expected = numerator / divisor;
    if (numerator % divisor < 0) --expected;
    ASSERT_TRUE(requantise_fixed(acc, m) == expected) << acc << " " << m.m0 << " " << m.exponent;
  }
}

TEST(RequantiseFixed, TakesTheExtremeAccumulators) {
  constexpr int32_t kLow = std::numeric_limits<int32_t>::min();
  constexpr int32_t kHigh = std::numeric_limits<int32_t>::max();
  EXPECT_EQ(requantise_fixed(kLow, to_fixed(1)), kLow);
  EXPECT_EQ(requantise_fixed(kHigh, to_fixed(1)), kHigh);
  EXPECT_EQ(requantise_fixed(kLow, to_fixed(0x1p-31)), -1);
  EXPECT_EQ(requantise_fixed(kLow, to_fixed(0x1p-32)), 0);  // -1/2 goes up
  EXPECT_EQ(requantise_fixed(kHigh, to_fixed(0x1p-32)), 0);
}

TEST(RequantiseFloat, RoundsHalfToEvenAndClamps) {
  EXPECT_EQ(requantise_float(1, 0.5f, -128, 127), 0);
  EXPECT_EQ(requantise_float(3, 0.5f, -128, 127), 2);
  EXPECT_EQ(requantise_float(-3, 0.5f, -128, 127), -2);
  EXPECT_EQ(requantise_float(255, 0.5f, -128, 127), 127);
  EXPECT_EQ(requantise_float(std::numeric_limits<int32_t>::min(), 1e30f, -128, 127), -128);
  // int32 -> binary32 rounds half to even: 2^24 + 1 -> 2^24, 2^24 + 3 -> 2^24 + 4.
  EXPECT_EQ(requantise_float((1 << 24) + 1, 0.25f, 0, 1 << 23), 1 << 22);
  EXPECT_EQ(requantise_float((1 << 24) + 3, 0.25f, 0, 1 << 23), (1 << 22) + 1);
}

TEST(FixedSum, AlignsTheSmallerMultiplierHalfToEven) {
  EXPECT_EQ(to_fixed_sum(0.5, 0.5), (FixedSum{1 << 30, 1 << 30, 31}));
  EXPECT_EQ(to_fixed_sum(1, 0.25), (FixedSum{1 << 30, 1 << 28, 30}));
  EXPECT_EQ(to_fixed_sum(0.25, 1), (FixedSum{1 << 28, 1 << 30, 30}));
  // 3 * 2^29 + 1, shifted by one place: a tie, to the even neighbour.
  const double odd = std::ldexp(1610612737.0, -32);
  EXPECT_EQ(to_fixed_sum(odd, 0.5).a, 805306368);
  EXPECT_EQ(to_fixed_sum(0, 0x1p-20), (FixedSum{0, 1 << 30, 50}));
  EXPECT_EQ(to_fixed_sum(0x1p-20, 0), (FixedSum{1 << 30, 0, 50}));
  EXPECT_EQ(to_fixed_sum(0x1p-31, 0x1p20).a, 0);
  EXPECT_EQ(add_fixed(255, -255, to_fixed_sum(0, 0)), 0);
}

TEST(AddFixed, IsWithinHalfACodeOfTheExactSum) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> log_m(-12, 4);
  std::uniform_int_distribution<int32_t> code(-255, 255);
  for (int i = 0; i < 200000; ++i) {
    const double m_a = std::exp2(log_m(random)), m_b = std::exp2(log_m(random));
    const int32_t a = code(random), b = code(random);
    const double exact = a * m_a + b * m_b;
    const int64_t y = add_fixed(a, b, to_fixed_sum(m_a, m_b));
    // Each multiplier is off by at most 2^-31 of the larger one, times a code below 2^8.
    ASSERT_LE(std::abs(static_cast<double>(y) - exact), 0.5 + 255 * std::max(m_a, m_b) * 0x1p-29);
    ASSERT_EQ(y, add_fixed(b, a, to_fixed_sum(m_b, m_a)));
  }
}

TEST(AddFloat, RoundsOnceAndClamps) {
  EXPECT_EQ(add_float(1, 2, 0.5f, 0.5f, -128, 127), 2);   // 1.5
  EXPECT_EQ(add_float(1, 4, 0.5f, 0.5f, -128, 127), 2);   // 2.5
  EXPECT_EQ(add_float(1, 1, 0.5f, 0.25f, -128, 127), 1);  // 0.75: two roundings would give 0
  EXPECT_EQ(add_float(255, 255, 1.0f, 1.0f, -128, 127), 127);
  EXPECT_EQ(add_float(-255, -255, 1.0f, 1.0f, -128, 127), -128);
}

}  // namespace
}  // namespace nibble::numeric
