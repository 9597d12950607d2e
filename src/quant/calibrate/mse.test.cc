#include <gtest/gtest.h>

#include "quant/calibrate/samples_for_test.h"

namespace nibble::calibrate {
namespace {

using numeric::RangeKind;

/// Least error of a grid on unit Gaussian and Laplace data, and the step that has it: exact
/// integrals, nearest level (the half distributions: x > 0, levels 0 .. 2^b - 1).
struct Optimum {
  int bits;
  RangeKind range;
  double gauss_scale, gauss_error, laplace_scale, laplace_error;
};

constexpr Optimum kTable[] = {
    {2, RangeKind::kFull, 1.048385, .149431, 1.717034, .413989},
    {3, RangeKind::kFull, .601824, .040638, 1.078271, .143989},
    {4, RangeKind::kFull, .338608, .011864, .661353, .050521},
    {8, RangeKind::kFull, .030766, 8.8e-5, .077571, 6.03e-4},
    {2, RangeKind::kRestricted, 1.224006, .190174, 2.000000, .528482},
    {3, RangeKind::kRestricted, .650770, .046860, 1.162134, .166173},
    {4, RangeKind::kRestricted, .353411, .012889, .688559, .054790},
    {8, RangeKind::kRestricted, .030870, 8.8e-5, .077816, 6.07e-4},
    {2, RangeKind::kUnsigned, .650770, .046860, 1.162134, .166173},
    {3, RangeKind::kUnsigned, .353411, .012889, .688559, .054790},
    {4, RangeKind::kUnsigned, .193249, .003693, .406536, .018170},
    {8, RangeKind::kUnsigned, .016528, 2.5e-5, .043747, 1.88e-4},
};

/// The fitted grid, from a stream and from values at hand, is within 1 % of the least error.
void expect_optimal(const Distribution& distribution, std::span<const float> x,
                    const GridSpec& grid, double scale, double error) {
  const double optimum = exact_error(distribution, scale, grid);
  EXPECT_NEAR(optimum, error, grid.bits == 8 ? 0.05 * error : 1e-6);  // two digits at 8 bits
  // One-sided data makes an asymmetric grid unsigned.
  const GridSpec fitted = grid.range == RangeKind::kUnsigned && grid.bits % 2 == 0
                              ? GridSpec{grid.bits, RangeKind::kAsymmetric}
                              : grid;
  for (const Affine& a :
       {stream("mse", x, fitted, {}, 100000), range_method("mse").fit(x, fitted, {{"p", 2}})}) {
    EXPECT_LE(exact_error(distribution, a.scale, grid), 1.01 * optimum);
    EXPECT_NEAR(a.scale / scale, 1, 0.02);
    EXPECT_EQ(a.zero_point, 0);
  }
}

void expect_optimal_everywhere(const Distribution& distribution, bool gauss) {
  const std::vector<float> x = stratified(distribution, 200000), half = magnitudes(x);
  for (const Optimum& o : kTable) {
    SCOPED_TRACE(std::string(name_of(o.range)) + " " + std::to_string(o.bits));
    expect_optimal(distribution, o.range == RangeKind::kUnsigned ? half : x, {o.bits, o.range},
                   gauss ? o.gauss_scale : o.laplace_scale,
                   gauss ? o.gauss_error : o.laplace_error);
  }
}

TEST(Mse, ReachesTheOptimumOfEveryGridOnGaussianData) {
  expect_optimal_everywhere(kGauss, true);
}

TEST(Mse, ReachesTheOptimumOfEveryGridOnLaplaceData) {
  expect_optimal_everywhere(kLaplace, false);
}

TEST(Mse, IsCloseToAnExhaustiveSearch) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    std::vector<float> x = laplace(300, seed);
    for (float& v : x) v += 0.5f * static_cast<float>(seed);
    for (int bits : {2, 3, 4}) {
      const GridSpec grid{bits, RangeKind::kAsymmetric};
      double least = std::numeric_limits<double>::infinity();
      for (int z = 0; z < 1 << bits; ++z)
        for (float s = 4; s > 0.02f; s *= 0.995f)
          least = std::min(least, error_of(x, {s, z}, grid));
      const Affine exact = range_method("mse").fit(x, grid, {{"p", 2}});
      EXPECT_LE(error_of(x, exact, grid), 1.01 * least) << bits << " " << seed;
      EXPECT_LE(error_of(x, stream("mse", x, grid), grid), 1.01 * least) << bits << " " << seed;
    }
  }
}

TEST(Mse, ClipsAnOutlierThatMinMaxFollows) {
  std::vector<float> x = gaussian(100000);
  x.push_back(100);
  const GridSpec grid{4, RangeKind::kRestricted};
  EXPECT_LT(error_of(x, stream("mse", x, grid), grid),
            0.5 * error_of(x, stream("minmax", x, grid), grid));
  // A constant whose bulk is ten thousand times smaller than its outlier, which must stay.
  std::vector<float> w = gaussian(1000);
  w.push_back(1e4f);
  EXPECT_NEAR(range_method("mse").fit(w, grid, {{"p", 2}}).scale, 1e4 / 7, 1);
}

TEST(Mse, KeepsDataThatIsAGridAlready) {
  std::vector<float> x;
  for (int i = 0; i < 60000; ++i) x.push_back(static_cast<float>(i * 37 % 256) * 0.25f);
  x.push_back(255 * 0.25f);
  EXPECT_EQ(stream("mse", x, {8, RangeKind::kAsymmetric}), (Affine{0.25f, 0}));
  for (float& v : x) v -= 32;
  EXPECT_EQ(stream("mse", x, {8, RangeKind::kAsymmetric}), (Affine{0.25f, 128}));
}

TEST(Mse, SixteenBitGridsFinerThanTheHistogramCoverTheData) {
  const std::vector<float> x = gaussian(100000);
  const GridSpec grid{16, RangeKind::kRestricted};
  EXPECT_LE(error_of(x, stream("mse", x, grid), grid),
            1.05 * error_of(x, stream("minmax", x, grid), grid));
}

TEST(Mse, HigherPowersClipLess) {
  const std::vector<float> x = laplace(20000);
  const GridSpec grid{4, RangeKind::kFull};
  const auto fit = [&](double p) { return range_method("mse").fit(x, grid, {{"p", p}}); };
  EXPECT_LT(fit(1).scale, fit(2).scale);
  EXPECT_LT(fit(2).scale, fit(4).scale);
  for (double p : {1.0, 2.4, 4.0}) {
    EXPECT_LE(error_of(x, fit(p), grid, p), error_of(x, fit(2), grid, p) * (1 + 1e-9));
    EXPECT_NEAR(stream("mse", x, grid, {{"p", p}}).scale / fit(p).scale, 1, 0.02) << p;
  }
}

}  // namespace
}  // namespace nibble::calibrate
