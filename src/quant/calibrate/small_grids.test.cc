// The closed answers for binary and ternary grids beside brute force in binary64.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quant/calibrate/calibrator.h"
#include "quant/calibrate/exact_ternary.h"
#include "quant/calibrate/samples_for_test.h"

namespace nibble::calibrate {
namespace {

double ternary_error(std::span<const float> x, double s) {
  double error = 0;
  for (float v : x) {
    const double k = s > 0 ? std::clamp(std::nearbyint(v / s), -1.0, 1.0) : 0;
    error += (v - k * s) * (v - k * s);
  }
  return error;
}

/// The least error over all 3^n assignments, each with its own best scale.
double least_error(std::span<const float> x) {
  size_t assignments = 1;
  for (size_t i = 0; i < x.size(); ++i) assignments *= 3;
  double least = std::numeric_limits<double>::infinity();
  for (size_t a = 0; a < assignments; ++a) {
    double xk = 0, kk = 0, squares = 0;
    size_t rest = a;
    for (float v : x) {
      const double k = static_cast<double>(rest % 3) - 1;
      rest /= 3;
      xk += k * v, kk += k * k, squares += double{v} * v;
    }
    least = std::min(least, kk > 0 && xk > 0 ? squares - xk * xk / kk : squares);
  }
  return least;
}

TEST(ExactTernary, EqualsBruteForceOverAllCodes) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    std::vector<float> x = gaussian(1 + seed % 8, seed);
    if (seed % 3 == 0) x[0] = 4;
    if (seed % 4 == 0) x.back() = x[0];  // equal magnitudes
    if (seed % 5 == 0)
      for (float& v : x) v = std::round(v * 2) / 2;
    const double found = ternary_error(x, exact_ternary_scale(x)), least = least_error(x);
    EXPECT_NEAR(found, least, 1e-12 * (1 + least)) << seed;
  }
}

TEST(ExactTernary, IsTheBestOfAFineSearchOfScales) {
  const std::vector<float> x = laplace(2000);
  const double s = exact_ternary_scale(x), found = ternary_error(x, s);
  for (double t = 0.001; t < 4; t += 0.001) EXPECT_LE(found, ternary_error(x, t) * (1 + 1e-12));
}

TEST(ExactTernary, GaussianOptimum) {
  // Lloyd-Max with levels -a, 0, a on N(0, 1): a = 1.2240, error 0.1902.
  const std::vector<float> x = stratified(kGauss, 50000);
  const double s = exact_ternary_scale(x);
  EXPECT_NEAR(s, 1.2240, 2e-3);
  EXPECT_NEAR(ternary_error(x, s) / static_cast<double>(x.size()), 0.1902, 5e-4);
}

TEST(ExactTernary, EmptyZeroAndSingleValues) {
  EXPECT_EQ(exact_ternary_scale({}), 0);
  EXPECT_EQ(exact_ternary_scale(std::vector<float>(3, -0.0f)), 0);
  EXPECT_EQ(exact_ternary_scale(std::vector<float>{-0.7f}), double{0.7f});
  EXPECT_EQ(exact_ternary_scale(std::vector<float>{2, -2, 2}), 2);
}

TEST(SmallGrids, BinaryScaleIsTheMeanMagnitude) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    const std::vector<float> x = laplace(10 + 97 * seed, seed);
    double sum = 0;
    for (float v : x) sum += std::abs(double{v});
    const auto mean = static_cast<float>(sum / static_cast<double>(x.size()));
    EXPECT_EQ(range_method("mse").fit(x, kBinary, complete(range_method("mse"), {})).scale, mean);
    EXPECT_NEAR(stream("mse", x, kBinary).scale, mean, mean * 1e-6);
    // No other scale has a smaller error.
    const double least = error_of(x, {mean, 0}, kBinary);
    for (float factor : {0.5f, 0.99f, 0.999f, 1.001f, 1.01f, 2.0f})
      EXPECT_LE(least, error_of(x, {mean * factor, 0}, kBinary));
  }
}

TEST(SmallGrids, OtherPowersSearchTheSameGrids) {
  const std::vector<float> x = laplace(3000);
  for (double p : {1.0, 2.4, 4.0})
    for (const GridSpec& grid : {kBinary, kTernary}) {
      const Affine found = stream("mse", x, grid, {{"p", p}});
      const double least = error_of(x, found, grid, p);
      for (float s = 0.05f; s < 6; s += 0.05f)
        EXPECT_LE(least, error_of(x, {s, 0}, grid, p) * 1.001) << p << " " << s;
    }
}

TEST(SmallGrids, WeightsByChannel) {
  const std::vector<float> values = {1, -3, 2, 0, 0, 0, 5, -1, 0.25f};
  const Tensor weights = Tensor::of<float>({3, 3}, std::span<const float>(values));
  const auto binary =
      fit_weights(weights.view(), kBinary, numeric::Granularity::kChannel, 0, 1, 0, "mse", {});
  EXPECT_EQ(binary.grid, numeric::GridId::kBinary);
  EXPECT_EQ(binary.scales, (std::vector<float>{2, 1, 6.25f / 3}));
  EXPECT_TRUE(numeric::check(binary, weights.shape()).ok());
  const auto ternary =
      fit_weights(weights.view(), kTernary, numeric::Granularity::kChannel, 0, 1, 0, "mse", {});
  EXPECT_EQ(ternary.scales, (std::vector<float>{2.5f, 1, 5}));
  EXPECT_TRUE(numeric::check(ternary, weights.shape()).ok());
}

TEST(SmallGrids, OneBitActivationsTakeTheirCodesFromTheData) {
  Calibrator calibrator;
  const GridSpec one_bit = {1, numeric::RangeKind::kAsymmetric};
  for (const char* name : {"positive", "negative", "both", "zero"})
    calibrator.add(name, one_bit, "mse");
  calibrator.observe("positive", std::vector<float>{0, 0, 0, 1, 1.5f, 0.5f});
  calibrator.observe("negative", std::vector<float>{0, -2, -2});
  calibrator.observe("both", std::vector<float>{3, 0});
  calibrator.observe("both", std::vector<float>{-1, -4});
  calibrator.observe("zero", std::vector<float>{0, 0});
  const auto chosen = calibrator.finish();
  const auto params = [&](const char* name) { return chosen.at(name).quant.params; };
  EXPECT_EQ(params("positive").grid, numeric::GridId::kAffine);
  EXPECT_EQ(params("positive").qmin, 0);
  EXPECT_EQ(params("positive").qmax, 1);
  EXPECT_EQ(params("positive").zero_point(0), 0);
  EXPECT_NEAR(params("positive").scales[0], 1.25f, 1e-6);  // 0.5 -> 0; 1 and 1.5 -> their mean
  EXPECT_EQ(params("negative").zero_point(0), 1);
  EXPECT_NEAR(params("negative").scales[0], 2, 1e-6);
  EXPECT_EQ(params("both").grid, numeric::GridId::kBinary);
  EXPECT_EQ(params("both").scales[0], 2);  // mean |x|
  EXPECT_EQ(params("zero").grid, numeric::GridId::kAffine);
  for (const auto& [name, calibrated] : chosen)
    EXPECT_TRUE(numeric::check(calibrated.quant.params, {4}).ok()) << name;
}

}  // namespace
}  // namespace nibble::calibrate
