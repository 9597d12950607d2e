#include "quant/calibrate/calibrator.h"

#include <gtest/gtest.h>

#include "quant/calibrate/samples_for_test.h"
#include "quant/graph/error.h"

namespace nibble::calibrate {
namespace {

using numeric::RangeKind;

std::string data_error(const Calibrator& c) {
  try {
    c.finish();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind, ErrorKind::kData);
    return e.message;
  }
  return "no error";
}

TEST(Calibrator, ChoosesTheGridOfEveryTensor) {
  Calibrator c;
  c.add("a", {8, RangeKind::kAsymmetric}, "minmax");
  c.add("b", {4, RangeKind::kRestricted}, "percentile", {{"q", 99}});
  const std::vector<float> a = {-1, 4, 1.55f}, b = laplace(1000);
  c.observe("a", a);
  c.observe("b", b);
  c.observe("a", std::vector<float>{0, std::numeric_limits<float>::infinity()});
  const auto chosen = c.finish();
  ASSERT_EQ(chosen.size(), 2u);
  const Calibrated& first = chosen.at("a");
  EXPECT_EQ(first.quant.chosen_by, "minmax");
  EXPECT_EQ(first.quant.params.scales, std::vector<float>{5.0f / 255});
  EXPECT_EQ(first.quant.params.zero_points, std::vector<int32_t>{51});
  EXPECT_EQ(first.lowest, -1);
  EXPECT_EQ(first.highest, 4);
  EXPECT_EQ(first.count, 5);
  EXPECT_EQ(first.infinite_count, 1);
  const Calibrated& second = chosen.at("b");
  EXPECT_TRUE(numeric::check(second.quant.params, {1, 1000}).ok());
  EXPECT_EQ(second.quant.params.qmin, -7);
  EXPECT_TRUE(second.quant.params.zero_points.empty());
}

TEST(Calibrator, NamesTheTensorWithNanOrWithoutData) {
  Calibrator c;
  c.add("a", {}, "mse");
  EXPECT_EQ(data_error(c), "calibration data: tensor 'a' has no values, expected some");
  c.observe("a", std::vector<float>{1, std::nanf(""), 2});
  EXPECT_EQ(data_error(c),
            "calibration data: tensor 'a' has 1 NaN of 3 values, expected finite numbers");
  EXPECT_THROW(c.add("a", {}, "mse"), Error);
  EXPECT_THROW(c.observe("b", {}), Error);
}

TEST(Calibrator, MergesParts) {
  Calibrator whole, part, rest;
  const std::vector<float> x = gaussian(3000);
  for (Calibrator* c : {&whole, &part, &rest}) c->add("x", {4, RangeKind::kAsymmetric}, "mse");
  whole.observe("x", x);
  part.observe("x", std::span(x).first(700));
  rest.observe("x", std::span(x).subspan(700));
  part.merge(rest);
  EXPECT_EQ(part.finish().at("x").quant.params, whole.finish().at("x").quant.params);
}

}  // namespace
}  // namespace nibble::calibrate
