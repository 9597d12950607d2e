#include "quant/calibrate/points.h"

#include <algorithm>
#include <cmath>

namespace nibble::calibrate {

using numeric::Affine;
using numeric::CodeRange;

Points::Points(std::span<const float> values)
    : x_(values.begin(), values.end()), count_(x_.size() + 1), sum_(x_.size() + 1) {
  std::sort(x_.begin(), x_.end());
  for (size_t i = 0; i < x_.size(); ++i) {
    count_[i + 1] = static_cast<double>(i + 1);
    sum_[i + 1] = sum_[i] + x_[i];
    squares_ += double{x_[i]} * x_[i];
  }
}

Points::Points(const Histogram& histogram, int fold) : Points() {
  constexpr int32_t kSide = Histogram::kSide;
  width_ = histogram.width() * fold;
  for (int32_t first = -kSide; first < kSide; first += fold) {
    double count = 0, sum = 0;
    for (int32_t i = std::max(first, 1 - kSide); i < first + fold; ++i) {
      count += static_cast<double>(histogram.bin(i).count);
      sum += histogram.bin(i).sum;
    }
    add_bins(count, sum);
  }
}

Points Points::of_magnitudes(const Histogram& histogram, int fold) {
  Points points;
  points.width_ = histogram.width() * fold;
  for (int32_t first = 0; first < Histogram::kSide; first += fold) {
    double count = 0, sum = 0;
    for (int32_t i = first; i < first + fold; ++i) {
      count += static_cast<double>(histogram.magnitude_bin(i).count);
      sum += histogram.magnitude_bin(i).sum;
    }
    points.add_bins(count, sum);
  }
  return points;
}

/// A point at the mean of some bins; none where they are empty.
void Points::add_bins(double count, double sum) {
  if (count == 0) return;
  const double mean = sum / count;
  x_.push_back(static_cast<float>(mean));
  count_.push_back(count_.back() + count);
  sum_.push_back(sum_.back() + sum);
  squares_ += count * mean * mean;  // the spread inside bins is the same for every grid
}

/// f(k, count, sum of x) of the values that get code z + k, ascending, empty cells left out.
template <class F>
void Points::for_each_cell(const Affine& affine, const CodeRange& codes, F&& f) const {
  const double s = affine.scale;
  size_t from = 0;
  for (int32_t q = codes.qmin; q <= codes.qmax && from < x_.size(); ++q) {
    const double k = q - affine.zero_point;
    size_t to = x_.size();
    if (q < codes.qmax) {
      const auto at =
          std::lower_bound(x_.begin() + static_cast<ptrdiff_t>(from), x_.end(), (k + 0.5) * s,
                           [](float x, double edge) { return x < edge; });
      to = static_cast<size_t>(at - x_.begin());
    }
    if (to > from) f(k, count_[to] - count_[from], sum_[to] - sum_[from]);
    from = to;
  }
}

double Points::squared_error(const Affine& affine, const CodeRange& codes) const {
  const double s = affine.scale;
  // Bins wider than half a step cannot tell levels apart.
  if (s < 2 * width_) return rounding_noise(affine, codes);
  double error = squares_;
  for_each_cell(affine, codes, [&](double k, double count, double sum) {
    error += k * s * (k * s * count - 2 * sum);
  });
  return std::max(error, 0.0);
}

/// The model of fine grids: s^2 / 12 a value inside the range, the distance to its end outside.
double Points::rounding_noise(const Affine& affine, const CodeRange& codes) const {
  const double s = affine.scale;
  const double lo = (codes.qmin - affine.zero_point) * s, hi = (codes.qmax - affine.zero_point) * s;
  double error = count_.back() * s * s / 12;
  for (size_t i = 0; i < x_.size(); ++i) {
    const double outside = x_[i] - std::clamp<double>(x_[i], lo, hi);
    error += (count_[i + 1] - count_[i]) * outside * outside;
  }
  return error;
}

double Points::power_error(const Affine& affine, const CodeRange& codes, double p) const {
  const double s = affine.scale;
  const double kmin = codes.qmin - affine.zero_point, kmax = codes.qmax - affine.zero_point;
  double error = 0;
  for (size_t i = 0; i < x_.size(); ++i) {
    const double k = std::nearbyint(std::clamp(x_[i] / s, kmin, kmax));
    error += (count_[i + 1] - count_[i]) * std::pow(std::abs(x_[i] - k * s), p);
  }
  return error;
}

double Points::best_scale(const Affine& affine, const CodeRange& codes) const {
  double xk = 0, kk = 0;
  for_each_cell(affine, codes, [&](double k, double count, double sum) {
    xk += k * sum;
    kk += k * k * count;
  });
  return kk > 0 ? xk / kk : 0;
}

}  // namespace nibble::calibrate
