#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "deploy/numeric/grid.h"
#include "quant/calibrate/estimator.h"

namespace nibble::calibrate {

inline std::vector<float> gaussian(size_t n, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(n);
  for (float& v : x) v = normal(random);
  return x;
}

/// Two exponential tails, density exp(-|x|) / 2.
inline std::vector<float> laplace(size_t n, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::exponential_distribution<float> tail;
  std::vector<float> x(n);
  for (float& v : x) v = random() % 2 ? tail(random) : -tail(random);
  return x;
}

/// A unit distribution that is symmetric about 0.
struct Distribution {
  double (*upper_tail)(double x);                         // P(X > x)
  double (*error)(double from, double to, double level);  // integral of (x - level)^2 f(x), x > 0
};

inline const Distribution kGauss = {
    [](double x) { return std::erfc(x / std::sqrt(2.0)) / 2; },
    [](double from, double to, double level) {
      const auto tail = [](double x) { return std::erfc(x / std::sqrt(2.0)) / 2; };
      const auto edge = [level](double x) {
        return std::isinf(x) ? 0.0 : (x - 2 * level) * std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
      };
      return (1 + level * level) * (tail(from) - tail(to)) + edge(from) - edge(to);
    }};

/// Density exp(-|x|) / 2.
inline const Distribution kLaplace = {
    [](double x) { return std::exp(-x) / 2; },
    [](double from, double to, double level) {
      const auto edge = [level](double x) {
        const double d = x - level;
        return std::isinf(x) ? 0.0 : (d * d + 2 * d + 2) * std::exp(-x) / 2;
      };
      return edge(from) - edge(to);
    }};

/// E (x - x^)^2, exact. kUnsigned: given that x > 0.
inline double exact_error(const Distribution& of, double scale, const GridSpec& grid) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const numeric::CodeRange codes = numeric::code_range(grid.range, grid.bits);
  const bool half = grid.range == numeric::RangeKind::kUnsigned;
  double error = 0;
  for (int32_t q = codes.qmin; q <= codes.qmax; ++q) {
    const double from = q == codes.qmin ? -kInf : (q - 0.5) * scale;
    const double to = q == codes.qmax ? kInf : (q + 0.5) * scale;
    if (to > 0) error += of.error(std::max(from, 0.0), to, q * scale) * (half ? 2 : 1);
    if (from < 0 && !half) error += of.error(std::max(-to, 0.0), -from, -q * scale);
  }
  return error;
}

/// 2n values at the quantiles of the distribution, without the luck of a random sample.
inline std::vector<float> stratified(const Distribution& of, size_t n) {
  std::vector<float> x;
  for (size_t i = 0; i < n; ++i) {
    const double tail = (static_cast<double>(i) + 0.5) / static_cast<double>(2 * n);
    double low = 0, high = 40;
    for (int step = 0; step < 40; ++step) {
      const double middle = (low + high) / 2;
      (of.upper_tail(middle) > tail ? low : high) = middle;
    }
    x.push_back(static_cast<float>(low));
    x.push_back(-static_cast<float>(low));
  }
  return x;
}

inline std::vector<float> magnitudes(std::vector<float> x) {
  for (float& v : x) v = std::abs(v);
  return x;
}

/// sum |x - x^|^p, element by element, with the one definition of value -> code.
inline double error_of(std::span<const float> x, const Affine& a, const GridSpec& grid,
                       double p = 2) {
  numeric::QuantParams params = params_of(grid);
  params.scales = {a.scale};
  params.zero_points = {a.zero_point};
  double error = 0;
  for (float v : x) {
    const int32_t q = numeric::quantize_one(v, params);
    error += std::pow(std::abs(v - double{a.scale} * (q - a.zero_point)), p);
  }
  return error;
}

inline Affine stream(std::string_view method, std::span<const float> x, const GridSpec& grid,
                     const Parameters& parameters = {}, size_t batch = 1000) {
  const auto estimator = make_estimator(method, parameters);
  for (size_t i = 0; i < x.size(); i += batch)
    estimator->observe(x.subspan(i, std::min(batch, x.size() - i)));
  return estimator->finish(grid);
}

}  // namespace nibble::calibrate
