#include "quant/calibrate/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "quant/calibrate/samples_for_test.h"

namespace nibble::calibrate {
namespace {

float magnitude_of(std::span<const float> x) {
  float m = 0;
  for (float v : x) m = std::max(m, std::abs(v));
  return m;
}

Histogram histogram_of(std::span<const float> x, size_t batch) {
  Histogram h;
  for (size_t i = 0; i < x.size(); i += batch) {
    const auto part = x.subspan(i, std::min(batch, x.size() - i));
    h.add(part, magnitude_of(part));
  }
  return h;
}

void expect_equal(const Histogram& a, const Histogram& b) {
  ASSERT_EQ(a.width(), b.width());
  for (int32_t i = 1 - Histogram::kSide; i < Histogram::kSide; ++i) {
    ASSERT_EQ(a.bin(i).count, b.bin(i).count) << i;
    ASSERT_NEAR(a.bin(i).sum, b.bin(i).sum, 1e-9 * std::abs(a.bin(i).sum) + 1e-12) << i;
  }
}

TEST(Histogram, DoesNotDependOnBatchesOrTheirOrder) {
  std::vector<float> x = laplace(20000);
  const Histogram whole = histogram_of(x, x.size());
  expect_equal(whole, histogram_of(x, 777));
  std::sort(x.begin(), x.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
  expect_equal(whole, histogram_of(x, 1));  // widens many times
  Histogram merged = histogram_of(std::span(x).first(5000), 1000);
  merged.merge(histogram_of(std::span(x).subspan(5000), 1000));
  merged.merge(Histogram());
  expect_equal(whole, merged);
}

TEST(Histogram, PutsEveryValueIntoItsBin) {
  const std::vector<float> x = {0, -0.0f, 1, -1, 0.49f, 8191, -8191, 8191.5f};
  const Histogram h = histogram_of(x, 3);
  EXPECT_EQ(h.width(), 1);
  EXPECT_EQ(h.bin(0).count, 3);
  EXPECT_EQ(h.bin(1).count, 1);
  EXPECT_EQ(h.bin(-1).count, 1);
  EXPECT_EQ(h.bin(8191).count, 2);
  EXPECT_EQ(h.bin(8191).sum, 8191 + 8191.5);
  EXPECT_EQ(h.bin(-8191).count, 1);
  EXPECT_EQ(h.magnitude_bin(8191).count, 3);
  EXPECT_EQ(h.magnitude_bin(8191).sum, 8191 + 8191 + 8191.5);
}

TEST(Histogram, UsesAtLeastHalfOfItsBins) {
  for (float m : {1.0f, 0.999f, 1.999f, 3e38f, 1e-30f, std::numeric_limits<float>::max()}) {
    const Histogram h = histogram_of(std::vector<float>{m, -m / 2}, 1);
    EXPECT_GE(m / h.width(), Histogram::kSide / 2);
    EXPECT_LT(m / h.width(), Histogram::kSide);
  }
}

TEST(Histogram, TakesZerosAndDenormals) {
  const Histogram h =
      histogram_of(std::vector<float>{0, std::numeric_limits<float>::denorm_min()}, 1);
  EXPECT_EQ(h.bin(0).count, 2);
  EXPECT_TRUE(Histogram().empty());
  EXPECT_EQ(Histogram().bin(5).count, 0);
}

}  // namespace
}  // namespace nibble::calibrate
