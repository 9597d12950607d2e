#include "deploy/kernels/float/float.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

namespace nibble::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
const float kNan = std::numeric_limits<float>::quiet_NaN();

/// Every 4,099th bit pattern, both signs, and the values where formulas break.
std::vector<float> sweep() {
  std::vector<float> x = {0.0f,           -0.0f,     kInf,       -kInf,     kNan,    1.0f,
                          -1.0f,          0x1p-149f, -0x1p-149f, 0x1p-126f, 88.72f,  89.0f,
                          -87.5f,         -103.9f,   -104.0f,    0.5f,      -0.5f,   0x1p-9f,
                          0x1.921fb6p+0f, 10.75f,    15.2f,      0x1p+28f,  3.0e38f, 1.5f,
                          2.5f,           -2.5f,     9.02f,      0x1.8p+28f};
  for (uint32_t bits = 1; bits < 0x7f800000; bits += 4099) {
    x.push_back(std::bit_cast<float>(bits));
    x.push_back(-x.back());
  }
  return x;
}

double ulp_of(double exact) {
  const double magnitude = std::max(std::abs(exact), 0x1p-126);
  return std::ldexp(1.0, std::ilogb(magnitude) - 23);
}

/// Largest error in units in the last place; infinite where one side is NaN or overflows and the
/// other does not.
double worst_error(const std::vector<float>& x, const std::vector<float>& y,
                   const std::function<double(double)>& f) {
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = f(x[i]);
    if (std::isnan(exact) || std::isnan(y[i])) {
      if (std::isnan(exact) != std::isnan(y[i])) return ADD_FAILURE() << "x = " << x[i], kInf;
      continue;
    }
    if (std::isinf(static_cast<float>(exact)) || std::isinf(y[i])) {
      if (static_cast<float>(exact) != y[i])
        return ADD_FAILURE() << "x = " << x[i] << " gives " << y[i], kInf;
      continue;
    }
    worst = std::max(worst, std::abs(y[i] - exact) / ulp_of(exact));
  }
  return worst;
}

struct Case {
  Unary f;
  UnaryParams params;
  double bound;  // ulp
  std::function<double(double)> exact;
};

std::vector<Case> cases() {
  using std::numbers::sqrt2;
  const auto cdf = [](double x) { return 0.5 * std::erfc(-x / sqrt2); };
  return {
      {Unary::kExp, {}, 0.51, [](double x) { return std::exp(x); }},
      {Unary::kLog, {}, 0.51, [](double x) { return std::log(x); }},
      {Unary::kSin, {}, 0.51, [](double x) { return std::sin(x); }},
      {Unary::kCos, {}, 0.51, [](double x) { return std::cos(x); }},
      {Unary::kErf, {}, 0.51, [](double x) { return std::erf(x); }},
      {Unary::kTanh, {}, 0.51, [](double x) { return std::tanh(x); }},
      {Unary::kSqrt, {}, 0.5, [](double x) { return std::sqrt(x); }},
      {Unary::kReciprocal, {}, 0.5, [](double x) { return 1.0 / x; }},
      {Unary::kElu, {.a = 1.5f}, 0.51, [](double x) { return x < 0 ? 1.5 * std::expm1(x) : x; }},
      {Unary::kSigmoid, {}, 0.51, [](double x) { return 1.0 / (1.0 + std::exp(-x)); }},
      {Unary::kSoftplus,
       {},
       0.51,
       [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }},
      {Unary::kSwish,
       {.a = 1.0f},
       0.51,
       [](double x) { return std::isinf(x) && x < 0 ? 0.0 : x / (1.0 + std::exp(-x)); }},
      {Unary::kGelu, {}, 0.51, [&](double x) { return std::isinf(x) && x < 0 ? 0.0 : x * cdf(x); }},
      {Unary::kFloor, {}, 0, [](double x) { return std::floor(x); }},
      {Unary::kCeil, {}, 0, [](double x) { return std::ceil(x); }},
      {Unary::kRound, {}, 0, [](double x) { return std::nearbyint(x); }},
      {Unary::kRelu, {}, 0, [](double x) { return x < 0 ? 0.0 : x; }},
      {Unary::kClip, {-2.0f, 3.0f}, 0, [](double x) { return x < -2  ? -2.0
                                                             : x > 3 ? 3.0
                                                                     : x; }},
      {Unary::kSign, {}, 0, [](double x) { return x > 0   ? 1.0
                                                  : x < 0 ? -1.0
                                                          : x; }},
      {Unary::kNeg, {}, 0, [](double x) { return -x; }},
      {Unary::kAbs, {}, 0, [](double x) { return std::abs(x); }},
      {Unary::kLeakyRelu, {.a = 0.1f}, 0.5, [](double x) { return x < 0 ? x * double(0.1f) : x; }},
  };
}

TEST(FloatKernels, AreAccurateOnAllMagnitudes) {
  const auto x = sweep();
  std::vector<float> y(x.size());
  for (const Case& c : cases()) {
    portable::kFloatKernels[c.f](x.data(), y.data(), static_cast<int64_t>(x.size()), c.params);
    EXPECT_LE(worst_error(x, y, c.exact), c.bound) << "function " << static_cast<int>(c.f);
  }
}

TEST(FloatKernels, TanhFormOfGeluFollowsItsFormula) {
  std::vector<float> x, y(4001);
  for (int i = 0; i <= 4000; ++i) x.push_back(-5.0f + static_cast<float>(i) * 0.0025f);
  portable::kFloatKernels[Unary::kGeluTanh](x.data(), y.data(), 4001, {});
  for (size_t i = 0; i < x.size(); ++i) {
    const double v = x[i];
    const double u = std::sqrt(2 / std::numbers::pi) * (v + 0.044715 * v * v * v);
    EXPECT_NEAR(y[i], 0.5 * v * (1 + std::tanh(u)), 1e-7 * std::max(1.0, std::abs(v)));
  }
}

TEST(FloatKernels, PowKeepsTheSpecialValuesOfC) {
  const float values[] = {0.0f,   -0.0f,      1.0f,  -1.0f,  2.0f,    -2.0f,      3.0f,   -3.0f,
                          0.5f,   -0.5f,      2.5f,  kInf,   -kInf,   kNan,       1e-40f, 1e30f,
                          -1e30f, 1.0000001f, 33.0f, 127.0f, -149.0f, 16777216.0f};
  for (float a : values)
    for (float b : values) {
      float y;
      portable::kFloatKernels[FloatBinary::kPow](&a, 1, &b, 1, &y, 1);
      const double exact = std::pow(static_cast<double>(a), static_cast<double>(b));
      if (std::isnan(exact)) {
        EXPECT_TRUE(std::isnan(y)) << a << "^" << b;
      } else if (std::isinf(static_cast<float>(exact)) || exact == 0) {
        EXPECT_EQ(y, static_cast<float>(exact)) << a << "^" << b;
        EXPECT_EQ(std::signbit(y), std::signbit(exact)) << a << "^" << b;
      } else {
        EXPECT_LE(std::abs(y - exact), 0.51 * ulp_of(exact)) << a << "^" << b;
      }
    }
}

TEST(FloatKernels, MinAndMaxHandOnNan) {
  const float a[] = {kNan, 1, 2, -0.0f}, b[] = {1, kNan, 1, 0.0f};
  float y[4];
  portable::kFloatKernels[FloatBinary::kMin](a, 1, b, 1, y, 4);
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
  EXPECT_EQ(y[2], 1.0f);
  portable::kFloatKernels[FloatBinary::kMax](a, 1, b, 1, y, 4);
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
  EXPECT_EQ(y[2], 2.0f);
}

TEST(FloatKernels, RowMaximum) {
  for (Isa isa : runnable_isas()) {
    const auto maximum = float_kernels(isa).maximum;
    for (size_t n = 0; n < 70; ++n)
      for (size_t at = 0; at < n; ++at) {
        std::vector<float> x(n, -3.0f);
        x[at] = -2.0f;
        EXPECT_EQ(maximum(x.data(), static_cast<int64_t>(n)), -2.0f);
        x[at] = kNan;
        EXPECT_TRUE(std::isnan(maximum(x.data(), static_cast<int64_t>(n)))) << at << " of " << n;
      }
    EXPECT_EQ(maximum(nullptr, 0), -kInf);
  }
}

TEST(FloatKernels, ScalarsAndTailsGiveWhatWholeRowsGive) {
  const auto& k = portable::kFloatKernels;
  for (int f = 0; f < kFloatBinaryCount; ++f)
    for (int n = 0; n <= 19; ++n) {
      std::vector<float> a(20), threes(20, 3.0f), row(20, 9.0f), left(20, 9.0f), same(20, 9.0f);
      for (int i = 0; i < 20; ++i) a[static_cast<size_t>(i)] = static_cast<float>(i) * 0.7f - 4;
      const float three = 3.0f;
      k.binary[f](a.data(), 1, threes.data(), 1, row.data(), n);
      k.binary[f](a.data(), 1, &three, 0, left.data(), n);
      EXPECT_EQ(std::memcmp(row.data(), left.data(), 80), 0)
          << f << " " << n;  // elements beyond n untouched
      k.binary[f](threes.data(), 1, a.data(), 1, row.data(), n);
      k.binary[f](&three, 0, a.data(), 1, same.data(), n);
      EXPECT_EQ(std::memcmp(row.data(), same.data(), 80), 0) << f << " " << n;
    }
}

TEST(FloatKernels, EveryIsaGivesTheSameBytes) {
  const auto x = sweep();
  const auto n = static_cast<int64_t>(x.size());
  std::vector<float> shifted(x.rbegin(), x.rend()), want(x.size()), got(x.size());
  const auto same = [&] {
    for (size_t i = 0; i < x.size(); ++i)
      if (std::bit_cast<uint32_t>(want[i]) != std::bit_cast<uint32_t>(got[i]) &&
          !(std::isnan(want[i]) && std::isnan(got[i])))
        return i;
    return x.size();
  };
  for (const auto& [isa, table] : float_variants()) {
    if (!cpu_runs(isa)) continue;
    const FloatKernels& k = *table;
    for (int f = 0; f < kUnaryCount; ++f) {
      portable::kFloatKernels.unary[f](x.data(), want.data(), n, {0.3f, 1.7f});
      k.unary[f](x.data(), got.data(), n, {0.3f, 1.7f});
      EXPECT_EQ(same(), x.size()) << "function " << f << " on " << name_of(isa);
    }
    for (int f = 0; f < kFloatBinaryCount; ++f) {
      portable::kFloatKernels.binary[f](x.data(), 1, shifted.data(), 1, want.data(), n);
      k.binary[f](x.data(), 1, shifted.data(), 1, got.data(), n);
      EXPECT_EQ(same(), x.size()) << "binary " << f << " on " << name_of(isa);
    }
  }
}

}  // namespace
}  // namespace nibble::kernels
