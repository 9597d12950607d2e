// Percentile: the range between quantiles, so that a share 1 - q/100 of the values is clipped. The
// q-quantile of n values is the one of rank ceil(q n / 100) in ascending order.
//   symmetric kinds: the q-quantile of |x|
//   kUnsigned, or data without negative values: [0, q-quantile]
//   asymmetric: half of the clipped share at either end; data without positive values: all of it
//   at the lower end
// A range that would be empty (more than q per cent zeros) is that of all values.
// Source: Wu et al., "Integer Quantization for Deep Learning Inference", 2020, section 4.2. The
// stream keeps a histogram: an answer is the mean of the bin that holds the quantile, less than a
// bin's width (2^-12 of the largest magnitude at most) from it; rank n is the exact extreme.

#include <algorithm>
#include <cmath>
#include <utility>

#include "quant/calibrate/estimator.h"
#include "quant/calibrate/histogram.h"

namespace nibble::calibrate {
namespace {

/// How many of n ascending values come before the q-quantile. q n / 100 that is an integer but for
/// rounding is that integer.
int64_t values_below(double q, int64_t n) {
  const auto rank = static_cast<int64_t>(std::ceil(q * static_cast<double>(n) / 100 - 1e-6));
  return std::clamp<int64_t>(rank, 1, n) - 1;
}

/// `highest(q)`, `lowest(q)`: quantiles from below and from above; `magnitude(q)`: of |x|.
template <class Quantiles>
std::pair<float, float> quantile_range(const Quantiles& of, double q, float lo, float hi,
                                       numeric::RangeKind range) {
  if (numeric::is_symmetric(range)) return {-of.magnitude(q), of.magnitude(q)};
  if (range == numeric::RangeKind::kUnsigned || lo >= 0) return {0, of.highest(q)};
  if (hi <= 0) return {of.lowest(q), 0};
  const double either_side = 100 - (100 - q) / 2;
  return {of.lowest(either_side), of.highest(either_side)};
}

template <class Quantiles>
Affine fit_quantiles(const Quantiles& of, double q, float lo, float hi, const GridSpec& grid) {
  const auto [from, to] = quantile_range(of, q, lo, hi, grid.range);
  if (from >= 0 && to <= 0) return affine_from_range(lo, hi, grid);
  return affine_from_range(from, to, grid);
}

/// Quantiles of a histogram.
struct Streamed {
  const Histogram& histogram;
  float lo, hi;
  int64_t n;

  template <class BinAt>
  double quantile(double q, int32_t first, double extreme, BinAt bin_at) const {
    int64_t below = values_below(q, n);
    if (below == n - 1) return extreme;
    for (int32_t i = first;; ++i) {
      const Histogram::Bin bin = bin_at(i);
      if (below < bin.count) return bin.sum / static_cast<double>(bin.count);
      below -= bin.count;
    }
  }
  float highest(double q) const {
    return static_cast<float>(
        quantile(q, 1 - Histogram::kSide, double{hi}, [&](int32_t i) { return histogram.bin(i); }));
  }
  float lowest(double q) const {
    return -static_cast<float>(quantile(q, 1 - Histogram::kSide, -double{lo}, [&](int32_t i) {
      const Histogram::Bin bin = histogram.bin(-i);
      return Histogram::Bin{-bin.sum, bin.count};
    }));
  }
  float magnitude(double q) const {
    const double m = std::max(-double{lo}, double{hi});
    return static_cast<float>(
        quantile(q, 0, m, [&](int32_t i) { return histogram.magnitude_bin(i); }));
  }
};

/// Quantiles of values at hand.
struct Exact {
  std::span<const float> values;

  template <class F>
  float quantile(double q, F f) const {
    std::vector<float> v(values.size());
    std::transform(values.begin(), values.end(), v.begin(), f);
    const auto at = v.begin() + values_below(q, static_cast<int64_t>(v.size()));
    std::nth_element(v.begin(), at, v.end());
    return *at;
  }
  float highest(double q) const {
    return quantile(q, [](float x) { return x; });
  }
  float lowest(double q) const {
    return -quantile(q, [](float x) { return -x; });
  }
  float magnitude(double q) const {
    return quantile(q, [](float x) { return std::abs(x); });
  }
};

class Percentile : public Estimator {
 public:
  explicit Percentile(double q) : q_(q) {}

  Affine finish(const GridSpec& grid) const override {
    if (histogram_.empty()) return {};
    const Streamed quantiles{histogram_, lowest, highest, finite_count()};
    return fit_quantiles(quantiles, q_, lowest, highest, grid);
  }

 private:
  void add(std::span<const float> batch, float lo, float hi) override {
    histogram_.add(batch, std::max(-lo, hi));
  }
  void absorb(const Estimator& other) override {
    histogram_.merge(static_cast<const Percentile&>(other).histogram_);
  }

  double q_;
  Histogram histogram_;
};

Affine fit(std::span<const float> values, const GridSpec& grid, const Parameters& parameters) {
  const auto [lo, hi] = std::minmax_element(values.begin(), values.end());
  return fit_quantiles(Exact{values}, parameters.at("q"), *lo, *hi, grid);
}

}  // namespace

namespace method {

extern const RangeMethod percentile;
const RangeMethod percentile = {
    .parameters = {{"q", 99.99, 50, 100, "per cent of the values inside the range"}},
    .make = [](const Parameters& p) { return std::make_unique<Percentile>(p.at("q")); },
    .fit = fit,
};

}  // namespace method
}  // namespace nibble::calibrate
