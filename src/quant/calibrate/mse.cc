// Range search: the (s, z) with the least sum |x - x^|^p, evaluated with exactly the binary32 s and
// integer z that will be stored. Source: Nagel et al., "A White Paper on Neural Network
// Quantization", 2021, eq. 12 (p = 2); p = 2.4: Li et al., "BRECQ", ICLR 2021.
// Candidates: min-max first; then fractions of its ends on a grid, refined around the best; for p =
// 2 at last the least-squares scale of the codes found, repeated while the error falls (Choukroun
// et al. 2019). Streams keep a histogram; constants are evaluated exactly from their sorted values.
// For p = 2 the two smallest grids have closed answers: binary s = mean |x| (Rastegari et al. 2016,
// eq. 6), of streams as well; ternary see exact_ternary.h, of constants. With p != 2 the binary
// grid is searched as what it is, one level for |x|.

#include <algorithm>
#include <cmath>
#include <limits>

#include "quant/calibrate/estimator.h"
#include "quant/calibrate/exact_ternary.h"
#include "quant/calibrate/histogram.h"
#include "quant/calibrate/points.h"

namespace nibble::calibrate {
namespace {

using numeric::RangeKind;

using numeric::GridId;

Affine scaled(double scale) {
  if (!(scale > 0)) return {};
  return {std::max(static_cast<float>(scale), std::numeric_limits<float>::min()), 0};
}

double sum_of_magnitudes(std::span<const float> values) {
  double sum = 0;
  for (float x : values) sum += std::abs(double{x});
  return sum;
}

/// The level of the binary grid, as codes of |x|.
constexpr numeric::CodeRange kOneLevel = {1, 1};

class Search {
 public:
  /// For binary grids `points` and `lo` .. `hi` are those of |x|.
  Search(const Points& points, float lo, float hi, const GridSpec& grid, double p)
      : points_(points),
        lo_(lo),
        hi_(hi),
        grid_(grid),
        codes_(grid.grid == GridId::kBinary ? kOneLevel : grid.codes()),
        p_(p) {
    consider(affine_from_range(lo, hi, grid));
  }

  Affine run() {
    if (grid_.range == RangeKind::kAsymmetric && lo_ < 0 && hi_ > 0)
      search_two_ends();
    else
      search_one_end();
    if (p_ == 2) refit();
    return best_;
  }

 private:
  /// Keeps `affine` if it is strictly better; says so.
  bool consider(const Affine& affine) {
    const double error =
        p_ == 2 ? points_.squared_error(affine, codes_) : points_.power_error(affine, codes_, p_);
    if (!(error < error_)) return false;
    error_ = error;
    best_ = affine;
    return true;
  }

  /// The grid for fractions a, b of the two ends. Symmetric kinds differ in their levels alone once
  /// the scale is searched; +m on the top code is the coarsest scale worth trying.
  Affine at(double a, double b) const {
    GridSpec grid = grid_;
    if (grid.grid == GridId::kAffine && numeric::is_symmetric(grid.range))
      grid.range = RangeKind::kWhitePaper;
    return affine_from_range(static_cast<float>(a * lo_), static_cast<float>(b * hi_), grid);
  }

  /// 100 fractions, then ten times finer around the best until the step is below 1 % of it.
  void search_one_end() {
    double best = 1, from = 0, to = 1;
    for (double step = 0.01; step > 1e-7; step /= 10) {
      for (double t = to; t > from + step / 2; t -= step)
        if (consider(at(t, t))) best = t;
      from = std::max(best - step, 0.0);
      to = std::min(best + step, 1.0);
      if (step < 0.01 * best) break;
    }
  }

  /// 20 x 20 fractions, then four times finer around the best, three times.
  void search_two_ends() {
    double best_a = 1, best_b = 1;
    for (int i = 20; i >= 1; --i)
      for (int j = 20; j >= 1; --j)
        if (consider(at(i * 0.05, j * 0.05))) best_a = i * 0.05, best_b = j * 0.05;
    double step = 0.05;
    for (int round = 0; round < 3; ++round) {
      step /= 4;
      const double a = best_a, b = best_b;
      for (int i = -4; i <= 4; ++i)
        for (int j = -4; j <= 4; ++j) {
          const double x = a + i * step, y = b + j * step;
          if (x <= 0 || y <= 0 || x > 1 || y > 1) continue;
          if (consider(at(x, y))) best_a = x, best_b = y;
        }
    }
  }

  void refit() {
    for (int i = 0; i < 20; ++i) {
      const auto scale = static_cast<float>(points_.best_scale(best_, codes_));
      if (scale < std::numeric_limits<float>::min()) return;
      if (!consider({scale, best_.zero_point})) return;
    }
  }

  const Points& points_;
  float lo_, hi_;
  GridSpec grid_;
  numeric::CodeRange codes_;
  double p_;
  Affine best_;
  double error_ = std::numeric_limits<double>::infinity();
};

/// Bins a point for p != 2, where a candidate costs one power a point: 2048 points a side.
int fold_for(double p) {
  return p == 2 ? 1 : 4;
}

class Mse : public Estimator {
 public:
  explicit Mse(double p) : p_(p) {}

  Affine finish(const GridSpec& grid) const override {
    if (lowest == highest && lowest == 0) return {};
    if (grid.grid == GridId::kBinary) return binary();
    return Search(Points(histogram_, fold_for(p_)), lowest, highest, grid, p_).run();
  }

 private:
  Affine binary() const {
    if (p_ == 2) return scaled(magnitude_ / static_cast<double>(finite_count()));
    return Search(Points::of_magnitudes(histogram_, fold_for(p_)), 0, std::max(-lowest, highest),
                  kBinary, p_)
        .run();
  }

  void add(std::span<const float> batch, float lo, float hi) override {
    histogram_.add(batch, std::max(-lo, hi));
    magnitude_ += sum_of_magnitudes(batch);
  }
  void absorb(const Estimator& estimator) override {
    const Mse& other = static_cast<const Mse&>(estimator);
    histogram_.merge(other.histogram_);
    magnitude_ += other.magnitude_;
  }

  double p_;
  Histogram histogram_;
  double magnitude_ = 0;  // sum |x|
};

/// Above this many values a sorted copy is not worth its memory.
constexpr size_t kMostExactValues = size_t{1} << 20;

Affine fit(std::span<const float> values, const GridSpec& grid, const Parameters& parameters) {
  const double p = parameters.at("p");
  if (p == 2 && grid.grid == GridId::kTernary) return scaled(exact_ternary_scale(values));
  if (p == 2 && grid.grid == GridId::kBinary)
    return scaled(sum_of_magnitudes(values) / static_cast<double>(values.size()));
  if (values.size() > kMostExactValues || grid.grid == GridId::kBinary) {
    Mse stream(p);
    stream.observe(values);
    return stream.finish(grid);
  }
  const auto [lo, hi] = std::minmax_element(values.begin(), values.end());
  if (*lo == 0 && *hi == 0) return {};
  return Search(Points(values), *lo, *hi, grid, p).run();
}

}  // namespace

namespace method {

extern const RangeMethod mse;
const RangeMethod mse = {
    .parameters = {{"p", 2, 1, 8, "power of the error"}},
    .never_worse_than_minmax = true,
    .make = [](const Parameters& p) { return std::make_unique<Mse>(p.at("p")); },
    .fit = fit,
};

}  // namespace method
}  // namespace nibble::calibrate
