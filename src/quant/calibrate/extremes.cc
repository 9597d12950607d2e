#include "quant/calibrate/extremes.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nibble::calibrate {
namespace {

/// Independent lanes let the compiler vectorise; the result does not depend on their number.
constexpr size_t kLanes = 16;

struct Lanes {
  float lo[kLanes], hi[kLanes], bad[kLanes];
};

/// The fast pass: one batch without exceptional values, or "look closer".
bool finite_extremes(std::span<const float> values, Extremes& extremes) {
  Lanes lanes;
  std::fill_n(lanes.lo, kLanes, values[0]);
  std::fill_n(lanes.hi, kLanes, values[0]);
  std::fill_n(lanes.bad, kLanes, 0.0f);
  const auto visit = [&lanes](size_t lane, float x) {
    lanes.lo[lane] = x < lanes.lo[lane] ? x : lanes.lo[lane];
    lanes.hi[lane] = x > lanes.hi[lane] ? x : lanes.hi[lane];
    lanes.bad[lane] += x - x;  // NaN from the first NaN or infinity on
  };
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) visit(lane, values[i + lane]);
  for (; i < values.size(); ++i) visit(0, values[i]);
  for (float bad : lanes.bad)
    if (std::isnan(bad)) return false;
  extremes.lo = *std::min_element(lanes.lo, lanes.lo + kLanes);
  extremes.hi = *std::max_element(lanes.hi, lanes.hi + kLanes);
  return true;
}

}  // namespace

Extremes extremes_of(std::span<const float> values) {
  Extremes e;
  if (values.empty() || finite_extremes(values, e)) return e;
  e.lo = std::numeric_limits<float>::infinity();
  e.hi = -e.lo;
  for (float x : values) {
    if (std::isnan(x)) {
      ++e.nans;
    } else if (std::isinf(x)) {
      ++e.infinities;
    } else {
      e.lo = std::min(e.lo, x);
      e.hi = std::max(e.hi, x);
    }
  }
  if (e.lo > e.hi) e.lo = e.hi = 0;
  return e;
}

}  // namespace nibble::calibrate
