#pragma once

#include <cstdint>
#include <span>

namespace nibble::calibrate {

/// Lowest and highest finite element (0, 0 while there is none) and how many were not finite.
struct Extremes {
  float lo = 0, hi = 0;
  int64_t nans = 0, infinities = 0;
  bool all_finite() const { return nans == 0 && infinities == 0; }
};

Extremes extremes_of(std::span<const float> values);

}  // namespace nibble::calibrate
