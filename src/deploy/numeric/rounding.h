#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace nibble::numeric {

/// How a real is rounded to an integer. The project's own rule is kHalfEven; the others exist for
/// foreign targets.
enum class Rounding : uint8_t { kHalfEven = 1, kHalfAway = 2, kHalfUp = 3, kFloor = 4 };

/// Ties to even, in the default rounding mode of the machine (which nibble never changes).
inline float round_half_even(float x) {
  return std::nearbyintf(x);
}
inline double round_half_even(double x) {
  return std::nearbyint(x);
}

/// n / d rounded to the nearest integer, ties to even. d > 0.
constexpr int64_t divide_half_even(int64_t n, int64_t d) {
  int64_t q = n / d, r = n % d;
  if (r < 0) {
    r += d;
    --q;
  }  // floor division
  const int64_t twice = 2 * r;
  return q + (twice > d || (twice == d && (q & 1)));
}

/// q = clamp(round_half_even(x / scale) + zero, qmin, qmax). NaN gives the code of zero, +-Inf
/// saturates. Divides: x * (1/scale) disagrees on ties. This is the one definition of value ->
/// code. Requires scale > 0, qmin <= zero <= qmax and qmax - qmin < 2^24 (bounds exact in
/// binary32).
inline int32_t quantize_affine(float x, float scale, int32_t zero, int32_t qmin, int32_t qmax) {
  float v = x / scale;
  if (std::isnan(v)) v = 0.0f;
  // Clamp before converting: bounds are integers, so clamp and round commute; and the conversion
  // cannot overflow.
  v = std::clamp(v, static_cast<float>(qmin - zero), static_cast<float>(qmax - zero));
  return static_cast<int32_t>(round_half_even(v)) + zero;
}

/// The binary grid: its scale has no say. Zero, of either sign, and NaN are +1.
inline int32_t quantize_binary(float x) {
  return x < 0 ? -1 : 1;
}

}  // namespace nibble::numeric
