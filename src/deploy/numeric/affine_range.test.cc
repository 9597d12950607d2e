#include "deploy/numeric/affine_range.h"

#include <gtest/gtest.h>
//
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "deploy/numeric/rounding.h"

namespace nibble::numeric {
namespace {

constexpr RangeKind kSymmetric[] = {RangeKind::kRestricted, RangeKind::kWhitePaper,
                                    RangeKind::kFull, RangeKind::kTwos};

TEST(AffineFromRange, FollowsTheFourMeaningsOfSymmetric) {
  // m = 1, 2 bits: {-1,0,1}, {-2,..,1}, {-4/3,..,2/3}, {-1,..,1/2}.
  const float scales[] = {1.0f, 1.0f, 2.0f / 3.0f, 0.5f};
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(affine_from_range(-1, 0.5f, kSymmetric[i], 2), (Affine{scales[i], 0}));
  EXPECT_EQ(affine_from_range(-9, 255, RangeKind::kUnsigned, 8), (Affine{1.0f, 0}));
}

TEST(AffineFromRange, AsymmetricHoldsZeroAndClampsTheZeroPoint) {
  const auto fit = [](float lo, float hi) {
    return affine_from_range(lo, hi, RangeKind::kAsymmetric, 8);
  };
  EXPECT_EQ(fit(-1, 1.55f).zero_point, 100);
  EXPECT_EQ(fit(2, 51), (Affine{0.2f, 0}));      // widened to 0
  EXPECT_EQ(fit(-51, -2), (Affine{0.2f, 255}));  // likewise
  EXPECT_EQ(fit(-0.5f, 254.5f).zero_point, 0);   // a tie, to even
  EXPECT_EQ(fit(-1.5f, 253.5f).zero_point, 2);
}

TEST(AffineFromRange, DegenerateTinyAndHugeRanges) {
  constexpr float kMax = std::numeric_limits<float>::max();
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  for (int kind = 1; kind <= 6; ++kind) {
    const auto range = static_cast<RangeKind>(kind);
    EXPECT_EQ(affine_from_range(0, 0, range, 8), Affine{});
    EXPECT_EQ(affine_from_range(0, kTiny, range, 8).scale, std::numeric_limits<float>::min());
    EXPECT_TRUE(std::isfinite(affine_from_range(-kMax, kMax, range, 2).scale));
  }
  EXPECT_EQ(affine_from_range(-1, 0, RangeKind::kUnsigned, 8), Affine{});  // hi = 0
}

RC_GTEST_PROP(AffineFromRange, CoversTheRangeToHalfAStep, ()) {
  const auto range = static_cast<RangeKind>(*rc::gen::inRange(1, 7));
  const int bits = *rc::gen::inRange(kMinBits, kMaxBits + 1);
  const float lo = range == RangeKind::kUnsigned ? 0.0f : -0.37f * *rc::gen::inRange(0, 100000);
  const float hi = 0.41f * *rc::gen::inRange(0, 100000);
  const Affine a = affine_from_range(lo, hi, range, bits);
  const CodeRange codes = code_range(range, bits);
  RC_ASSERT(a.zero_point >= codes.qmin && a.zero_point <= codes.qmax);
  for (float x : {lo, hi}) {
    const int32_t q = quantize_affine(x, a.scale, a.zero_point, codes.qmin, codes.qmax);
    // kFull clips +m by half a step, kTwos by a whole one; s and x / s round to binary32.
    const double slack = (range == RangeKind::kTwos ? 1.0 : 0.5) * a.scale + std::abs(x) * 0x1p-22;
    RC_ASSERT(std::abs(double{x} - double{a.scale} * (q - a.zero_point)) <= slack);
  }
}

double pdf(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
}
double cdf(double x) {
  return std::erfc(-x / std::sqrt(2.0)) / 2;
}
/// Integral of (x - level)^2 phi(x) over [a, b], exact.
double cell(double a, double b, double level) {
  const auto edge = [level](double x) { return std::isinf(x) ? 0 : (x - 2 * level) * pdf(x); };
  return (1 + level * level) * (cdf(b) - cdf(a)) + edge(a) - edge(b);
}
double gaussian_error(const Affine& a, CodeRange codes) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  double error = 0;
  for (int32_t q = codes.qmin; q <= codes.qmax; ++q) {
    const double v = q - a.zero_point, s = a.scale;
    error += cell(q == codes.qmin ? -kInf : (v - 0.5) * s, q == codes.qmax ? kInf : (v + 0.5) * s,
                  v * s);
  }
  return error;
}

TEST(AffineFromRange, GaussianErrorOfEverySymmetricKindAtThreeSigma) {
  const struct {
    int bits;
    double error[4];
  } table[] = {{2, {.648318, .648314, .331948, .200295}},
               {3, {.083570, .083453, .061926, .049201}},
               {4, {.015674, .015523, .013810, .012643}},
               {8, {4.53e-4, 4.36e-4, 4.53e-4, 4.71e-4}}};
  for (const auto& row : table)
    for (int i = 0; i < 4; ++i)
      EXPECT_NEAR(gaussian_error(affine_from_range(-3, 3, kSymmetric[i], row.bits),
                                 code_range(kSymmetric[i], row.bits)),
                  row.error[i], row.bits == 8 ? 1e-6 : 1e-5)
          << row.bits << " bits, " << name_of(kSymmetric[i]);
}

}  // namespace
}  // namespace nibble::numeric
