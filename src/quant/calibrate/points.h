#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "deploy/numeric/affine_range.h"
#include "quant/calibrate/histogram.h"

namespace nibble::calibrate {

/// A sample in ascending order with prefix sums: the error of a grid on it costs one binary search
/// a level instead of one rounding an element. Built from the values themselves (exact) or from a
/// histogram, whose bins become points at their means (exact but for bins that a decision threshold
/// of the grid cuts).
class Points {
 public:
  explicit Points(std::span<const float> values);
  /// Merges `fold` neighbouring bins into a point.
  explicit Points(const Histogram& histogram, int fold = 1);
  /// The same of |x|.
  static Points of_magnitudes(const Histogram& histogram, int fold = 1);

  /// sum (x - x^)^2 over the sample, for codes qmin..qmax.
  double squared_error(const numeric::Affine& affine, const numeric::CodeRange& codes) const;
  /// sum |x - x^|^p.
  double power_error(const numeric::Affine& affine, const numeric::CodeRange& codes,
                     double p) const;
  /// The best scale for the codes that `affine` gives: <x, k> / <k, k>, k = q - z; 0 when all k are
  /// 0 (Choukroun et al. 2019, OMSE).
  double best_scale(const numeric::Affine& affine, const numeric::CodeRange& codes) const;

 private:
  Points() : count_(1), sum_(1) {}
  void add_bins(double count, double sum);
  template <class F>
  void for_each_cell(const numeric::Affine& affine, const numeric::CodeRange& codes, F&& f) const;
  double rounding_noise(const numeric::Affine& affine, const numeric::CodeRange& codes) const;

  std::vector<float> x_;
  std::vector<double> count_, sum_;  // of the first i points; one entry more than x_
  double squares_ = 0;               // sum x^2
  double width_ = 0;                 // of a bin; 0: exact
};

}  // namespace nibble::calibrate
