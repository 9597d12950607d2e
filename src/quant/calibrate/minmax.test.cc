#include <gtest/gtest.h>

#include "quant/calibrate/samples_for_test.h"

namespace nibble::calibrate {
namespace {

using numeric::RangeKind;

constexpr GridSpec kUnsigned{8, RangeKind::kUnsigned};

float end_of(const Estimator& e) {
  return e.finish(kUnsigned).scale * 255;
}

TEST(MovingAverage, StartsAtTheFirstBatchAndDecaysTheOldValue) {
  const auto e = make_estimator("moving_average", {{"decay", 0.75}});
  e->observe(std::vector<float>{8, -1});
  EXPECT_NEAR(end_of(*e), 8, 1e-5);
  e->observe(std::vector<float>{4});
  EXPECT_NEAR(end_of(*e), 7, 1e-5);
  e->observe(std::vector<float>{std::nanf("")});  // no finite value: no batch
  EXPECT_NEAR(end_of(*e), 7, 1e-5);
  e->observe(std::vector<float>{11});
  EXPECT_NEAR(end_of(*e), 8, 1e-5);
}

TEST(AverageMinMax, WeighsBatchesByTheirSize) {
  const auto e = make_estimator("average_minmax", {});
  e->observe(std::vector<float>{8, 0, 0});
  e->observe(std::vector<float>{4});
  EXPECT_NEAR(end_of(*e), 7, 1e-5);
}

TEST(MinMax, OneOutlierDecides) {
  // N(0,1), 4-bit restricted: absmax of 1e6 samples has error .043, the optimum .0129.
  const std::vector<float> x = gaussian(1000000);
  const GridSpec grid{4, RangeKind::kRestricted};
  EXPECT_NEAR(error_of(x, stream("minmax", x, grid), grid) / 1e6, 0.043, 0.008);
  EXPECT_NEAR(error_of(x, stream("mse", x, grid), grid) / 1e6, 0.0129, 0.0002);
}

TEST(Extremes, VectorLanesAndTailsSeeEveryElement) {
  for (size_t n = 1; n <= 70; ++n)
    for (size_t at = 0; at < n; ++at) {
      std::vector<float> x(n, 1.0f);
      x[at] = -3;
      const auto low = make_estimator("minmax", {});
      low->observe(x);
      ASSERT_EQ(low->lowest, -3);
      x[at] = 5;
      const auto high = make_estimator("minmax", {});
      high->observe(x);
      ASSERT_EQ(high->highest, 5);
      x[at] = std::nanf("");
      const auto nan = make_estimator("minmax", {});
      nan->observe(x);
      ASSERT_EQ(nan->nan_count, 1);
      ASSERT_EQ(nan->highest, n > 1 ? 1 : 0);
    }
}

}  // namespace
}  // namespace nibble::calibrate
