#include "deploy/numeric/rounding.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace nibble::numeric {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

/// Value -> code in exact rational steps: x / s is compared with half-integers in binary64, where
/// the product of two binary32 numbers is exact.
int32_t slow_code(float x, float s, int32_t z, int32_t qmin, int32_t qmax) {
  for (int32_t q = qmin; q < qmax; ++q) {
    const int32_t v = q - z;
    const double boundary = (v + 0.5) * s, value = x;
    if (value < boundary || (value == boundary && v % 2 == 0)) return q;
  }
  return qmax;
}

TEST(DivideHalfEven, RoundsTiesToEven) {
  EXPECT_EQ(divide_half_even(5, 2), 2);
  EXPECT_EQ(divide_half_even(7, 2), 4);
  EXPECT_EQ(divide_half_even(-5, 2), -2);
  EXPECT_EQ(divide_half_even(-7, 2), -4);
  EXPECT_EQ(divide_half_even(-1, 3), 0);
  EXPECT_EQ(divide_half_even(-2, 3), -1);
  EXPECT_EQ(divide_half_even(0, 9), 0);
  for (int64_t n = -200; n <= 200; ++n)
    for (int64_t d = 1; d <= 16; ++d)
      EXPECT_EQ(divide_half_even(n, d), std::nearbyint(static_cast<double>(n) / d))
          << n << "/" << d;
}

TEST(QuantizeAffine, RoundsTiesToEvenBeforeTheZeroPoint) {
  EXPECT_EQ(quantize_affine(0.5f, 1.0f, 3, 0, 255), 3);
  EXPECT_EQ(quantize_affine(1.5f, 1.0f, 3, 0, 255), 5);
  EXPECT_EQ(quantize_affine(-0.5f, 1.0f, 3, 0, 255), 3);
  EXPECT_EQ(quantize_affine(-2.5f, 1.0f, 3, 0, 255), 1);
}

TEST(QuantizeAffine, DividesRatherThanMultipliesByTheReciprocal) {
  // Quotients that are exact ties; the product with 1/s lies just above or below.
  EXPECT_EQ(quantize_affine(3.5f * 1.3f, 1.3f, 0, -8, 7), 4);
  EXPECT_EQ(quantize_affine(4.5f * 1.9f, 1.9f, 0, -8, 7), 4);
  EXPECT_EQ(quantize_affine(6.5f * 2.1f, 2.1f, 0, -8, 7), 6);
}

TEST(QuantizeAffine, HandlesNanInfinityAndExtremes) {
  EXPECT_EQ(quantize_affine(std::nanf(""), 1.0f, 7, 0, 255), 7);
  EXPECT_EQ(quantize_affine(kInf, 1.0f, 7, 0, 255), 255);
  EXPECT_EQ(quantize_affine(-kInf, 1.0f, 7, 0, 255), 0);
  EXPECT_EQ(quantize_affine(std::numeric_limits<float>::max(), 1e-38f, 7, 0, 255), 255);
  EXPECT_EQ(quantize_affine(std::numeric_limits<float>::lowest(), 1e-38f, 0, -32768, 32767),
            -32768);
  EXPECT_EQ(quantize_affine(std::numeric_limits<float>::denorm_min(), 1.0f, 0, -8, 7), 0);
  EXPECT_EQ(quantize_affine(-0.0f, 1.0f, 5, 0, 255), 5);
}

TEST(QuantizeAffine, EqualsComparisonWithHalfIntegers) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> scale(1e-3f, 4.0f), value(-40.0f, 40.0f);
  for (int i = 0; i < 200000; ++i) {
    float s = scale(random);
    float x = value(random);
    if (i % 2) {  // exact ties
      s = std::ldexp(static_cast<float>(1 + random() % 64), -6);
      x = (static_cast<float>(random() % 40) - 20.5f) * s;
    }
    const int32_t z = static_cast<int32_t>(random() % 16);
    const double v = static_cast<double>(x) / s;
    // The quotient rounds to binary32 first; off a tie by less than that, both answers are right.
    if (i % 2 == 0 && std::abs(std::abs(v - std::floor(v)) - 0.5) < 1e-5) continue;
    ASSERT_EQ(quantize_affine(x, s, z, 0, 15), slow_code(x, s, z, 0, 15)) << x << " " << s;
  }
}

}  // namespace
}  // namespace nibble::numeric
