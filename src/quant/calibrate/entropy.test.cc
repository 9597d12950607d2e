#include <gtest/gtest.h>

#include <numeric>

#include "quant/calibrate/kl_divergence.h"
#include "quant/calibrate/samples_for_test.h"
#include "quant/graph/error.h"

namespace nibble::calibrate {
namespace {

using numeric::RangeKind;

/// The procedure as it is written down, bin by bin.
double slow_divergence(const std::vector<double>& h, size_t n, size_t levels) {
  std::vector<double> p(h.begin(), h.begin() + static_cast<ptrdiff_t>(n)), q(n, 0.0);
  p.back() += std::accumulate(h.begin() + static_cast<ptrdiff_t>(n), h.end(), 0.0);
  for (size_t m = 0; m < levels; ++m) {
    const size_t first = m * (n / levels), end = m + 1 == levels ? n : first + n / levels;
    double sum = 0, nonzero = 0;
    for (size_t j = first; j < end; ++j) sum += h[j], nonzero += h[j] > 0;
    for (size_t j = first; j < end; ++j) q[j] = h[j] > 0 ? sum / nonzero : 0;
  }
  const auto smooth = [n](std::vector<double>& v) {
    const double total = std::accumulate(v.begin(), v.end(), 0.0);
    const auto zeros = static_cast<double>(std::count(v.begin(), v.end(), 0.0));
    for (double& x : v) x = x == 0 ? 1e-4 : x / total * (1 - 1e-4 * zeros);
    EXPECT_NEAR(std::accumulate(v.begin(), v.end(), 0.0), 1, 1e-9) << n;
  };
  if (std::accumulate(q.begin(), q.end(), 0.0) == 0) return 1e300;
  smooth(p);
  smooth(q);
  double d = 0;
  for (size_t j = 0; j < n; ++j) d += p[j] * std::log(p[j] / q[j]);
  return d;
}

size_t slow_threshold(const std::vector<double>& h, size_t levels) {
  size_t best = h.size();
  double least = 1e299;
  for (size_t n = levels; n <= h.size(); ++n)
    if (const double d = slow_divergence(h, n, levels); d < least) least = d, best = n;
  return best;
}

std::vector<double> tail(size_t bins, double decay, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<double> h(bins);
  for (size_t i = 0; i < bins; ++i)
    h[i] = std::floor(1e5 * std::exp(-decay * static_cast<double>(i)) *
                      std::uniform_real_distribution(0.5, 1.5)(random));
  return h;
}

TEST(KlThreshold, EqualsTheProcedureBinByBin) {
  for (uint32_t seed = 1; seed <= 8; ++seed) {
    std::vector<double> h = tail(300, 0.01 * seed, seed);
    h[0] = 0;
    if (seed % 2) h[299] = 500;  // an outlier behind empty bins
    for (size_t levels : {8, 16, 100})
      EXPECT_EQ(kl_threshold(h, levels), slow_threshold(h, levels));
  }
}

TEST(KlThreshold, KeepsUniformDataWhole) {
  EXPECT_EQ(kl_threshold(std::vector<double>(2048, 10.0), 128), 2048u);
  EXPECT_EQ(kl_threshold(std::vector<double>(100, 10.0), 128), 100u);  // fewer bins than levels
  EXPECT_EQ(kl_threshold(std::vector<double>(300, 0.0), 128), 300u);
}

TEST(KlThreshold, HardlyMovesForOneFarOutlier) {
  std::vector<double> h(2048);
  for (size_t i = 1; i < h.size(); ++i)
    h[i] = std::floor(1e5 * std::exp(-0.5 * std::pow(static_cast<double>(i) / 250, 2)));
  const size_t before = kl_threshold(h, 128);
  h.back() += 1;
  EXPECT_LT(before, 1500u);
  EXPECT_NEAR(static_cast<double>(kl_threshold(h, 128)), static_cast<double>(before), 20);
}

TEST(KlThreshold, DoesNotDependOnTheNumberOfSamples) {
  std::vector<double> h = tail(1000, 0.005, 3);
  const size_t before = kl_threshold(h, 64);
  for (double& v : h) v *= 1024;
  EXPECT_EQ(kl_threshold(h, 64), before);
}

TEST(Entropy, KeepsUniformDataAndClipsTails) {
  std::vector<float> uniform;
  for (int i = 0; i < 200000; ++i) uniform.push_back(static_cast<float>(i) / 199999);
  const GridSpec grid{8, RangeKind::kAsymmetric};
  EXPECT_EQ(stream("entropy", uniform, grid), stream("minmax", uniform, grid));
  const std::vector<float> x = laplace(200000);
  const GridSpec symmetric{8, RangeKind::kRestricted};
  EXPECT_LT(stream("entropy", x, symmetric).scale, 0.9f * stream("minmax", x, symmetric).scale);
  EXPECT_GT(stream("entropy", x, symmetric).scale, 0.5f * stream("minmax", x, symmetric).scale);
}

TEST(Entropy, IgnoresASpikeAtZero) {
  std::vector<float> x = magnitudes(gaussian(50000));
  const GridSpec grid{8, RangeKind::kAsymmetric};
  const Affine before = stream("entropy", x, grid);
  x.resize(500000, 0.0f);
  EXPECT_EQ(stream("entropy", x, grid), before);
}

TEST(Entropy, RefusesWidthsItCannotFit) {
  try {
    stream("entropy", gaussian(100), {16, RangeKind::kRestricted});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message,
              "range method 'entropy' fits at most 11 bits, found 16; use mse or minmax");
  }
}

}  // namespace
}  // namespace nibble::calibrate
