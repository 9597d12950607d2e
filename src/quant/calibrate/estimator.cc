#include "quant/calibrate/estimator.h"

#include <algorithm>
#include <cmath>

#include "quant/calibrate/extremes.h"

namespace nibble::calibrate {

numeric::QuantParams params_of(const GridSpec& spec) {
  const numeric::CodeRange codes = spec.codes();
  numeric::QuantParams params;
  params.grid = spec.grid;
  params.bits = spec.bits;
  params.range = spec.range;
  params.qmin = codes.qmin;
  params.qmax = codes.qmax;
  return params;
}

Affine affine_from_range(float lo, float hi, const GridSpec& grid) {
  if (grid.grid != numeric::GridId::kAffine)
    return numeric::affine_from_range(lo, hi, numeric::RangeKind::kRestricted, 2);
  return numeric::affine_from_range(lo, hi, grid.range, grid.bits);
}

void Estimator::observe(std::span<const float> batch) {
  const Extremes e = extremes_of(batch);
  const bool first = finite_count() == 0;
  count += static_cast<int64_t>(batch.size());
  nan_count += e.nans;
  infinite_count += e.infinities;
  if (static_cast<int64_t>(batch.size()) == e.nans + e.infinities) return;
  lowest = first ? e.lo : std::min(lowest, e.lo);
  highest = first ? e.hi : std::max(highest, e.hi);
  if (e.all_finite()) return add(batch, e.lo, e.hi);
  std::vector<float> finite;
  std::copy_if(batch.begin(), batch.end(), std::back_inserter(finite),
               [](float x) { return std::isfinite(x); });
  add(finite, e.lo, e.hi);
}

void Estimator::merge(const Estimator& other) {
  if (other.finite_count() > 0) {
    const bool first = finite_count() == 0;
    lowest = first ? other.lowest : std::min(lowest, other.lowest);
    highest = first ? other.highest : std::max(highest, other.highest);
    absorb(other);
  }
  count += other.count;
  nan_count += other.nan_count;
  infinite_count += other.infinite_count;
}

}  // namespace nibble::calibrate
