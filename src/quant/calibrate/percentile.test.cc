#include <gtest/gtest.h>

#include <algorithm>

#include "quant/calibrate/samples_for_test.h"

namespace nibble::calibrate {
namespace {

using numeric::RangeKind;

constexpr GridSpec kSymmetric{8, RangeKind::kRestricted}, kUnsigned{8, RangeKind::kUnsigned},
    kAsymmetric{8, RangeKind::kAsymmetric};

Affine exact(std::span<const float> x, const GridSpec& grid, double q) {
  return range_method("percentile").fit(x, grid, {{"q", q}});
}

TEST(Percentile, OfOneHundredIsMinMax) {
  const std::vector<float> x = laplace(10000);
  for (const GridSpec& grid : {kSymmetric, kUnsigned, kAsymmetric}) {
    EXPECT_EQ(stream("percentile", x, grid, {{"q", 100}}), stream("minmax", x, grid));
    EXPECT_EQ(exact(x, grid, 100), stream("minmax", x, grid));
  }
}

TEST(Percentile, IsMonotoneInQ) {
  const std::vector<float> x = laplace(10000);
  for (const GridSpec& grid : {kSymmetric, kUnsigned, kAsymmetric}) {
    float before = 0, exact_before = 0;
    for (double q = 60; q <= 100; q += 0.25) {
      const float now = stream("percentile", x, grid, {{"q", q}}).scale;
      EXPECT_GE(now, before);
      before = now;
      EXPECT_GE(exact(x, grid, q).scale, exact_before);
      exact_before = exact(x, grid, q).scale;
    }
  }
}

TEST(Percentile, TakesTheValueOfItsRank) {
  std::vector<float> x;  // 1 .. 1000
  for (int i = 1; i <= 1000; ++i) x.push_back(static_cast<float>((i * 3) % 1001));
  // Levels 0 .. 255: scale times 255 is the end.
  EXPECT_NEAR(exact(x, kUnsigned, 99.9).scale * 255, 999, 1e-3);
  EXPECT_NEAR(stream("percentile", x, kUnsigned, {{"q", 99.9}}).scale * 255, 999, 1e-3);
  EXPECT_NEAR(exact(x, kUnsigned, 50).scale * 255, 500, 1e-3);
  EXPECT_NEAR(exact(x, kUnsigned, 99.91).scale * 255, 1000, 1e-3);
  x.resize(512);  // 99.9 % of 512 values is the largest
  EXPECT_EQ(exact(x, kUnsigned, 99.9), stream("minmax", x, kUnsigned));
}

TEST(Percentile, SplitsTheTailOfTwoSidedData) {
  std::vector<float> x;
  for (int i = -999; i <= 1000; ++i) x.push_back(static_cast<float>(i));
  const Affine a = exact(x, kAsymmetric, 99);  // 10 values clipped at either end
  EXPECT_NEAR(a.scale * 255, 990 + 989, 1e-3);
  const Affine b = stream("percentile", x, kAsymmetric, {{"q", 99}});
  EXPECT_NEAR(b.scale, a.scale, 1e-4);
  // One-sided: the whole tail at the upper end.
  const std::vector<float> half(x.begin() + 999, x.end());  // 0 .. 1000
  EXPECT_NEAR(exact(half, kAsymmetric, 90).scale * 255, 900, 1e-3);
  EXPECT_EQ(exact(half, kAsymmetric, 90).zero_point, 0);
}

TEST(Percentile, StreamIsWithinOneBinOfTheExactAnswer) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    const std::vector<float> x = laplace(30000, seed);
    float magnitude = 0;
    for (float v : x) magnitude = std::max(magnitude, std::abs(v));
    const double bin = magnitude / 4096;  // the widest a bin can be
    for (double q : {90.0, 99.0, 99.9, 99.99})
      for (const GridSpec& grid : {kSymmetric, kUnsigned}) {
        const double top = numeric::code_range(grid.range, grid.bits).qmax;
        EXPECT_NEAR(stream("percentile", x, grid, {{"q", q}}).scale * top,
                    exact(x, grid, q).scale * top, bin);
      }
  }
}

TEST(Percentile, KeepsTheRareValuesOfADataSetOfZeros) {
  std::vector<float> x(100000, 0.0f);
  x[7] = 3;
  for (const GridSpec& grid : {kSymmetric, kUnsigned, kAsymmetric}) {
    EXPECT_EQ(stream("percentile", x, grid), stream("minmax", x, grid));
    EXPECT_EQ(exact(x, grid, 99.99), stream("minmax", x, grid));
  }
}

}  // namespace
}  // namespace nibble::calibrate
