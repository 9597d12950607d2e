#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "deploy/numeric/rounding.h"

namespace nibble::numeric {

/// How an int32 accumulator becomes a code; a property of the model, recorded in it (methods:
/// integer-only inference). Stored in .nbl files: never renumber.
enum class RequantiseVariant : uint8_t {
  kFloat =
      1,  // y = round_half_even(float(acc) * M): int32 -> binary32 (half to even), one multiply
  kFixed =
      2,  // y = (acc * m0 + 2^(30-e)) >> (31-e): integers only, single rounding, ties towards +inf
};

/// M = m0 * 2^(e-31), m0 in [2^30, 2^31) or 0.
struct FixedMultiplier {
  int32_t m0 = 0;
  int32_t exponent = 0;
  friend bool operator==(const FixedMultiplier&, const FixedMultiplier&) = default;
};

/// 2^29. Multipliers lie below this: also after rounding up, variant kFixed shifts by at least 1.
inline constexpr double kMultiplierLimit = 536870912.0;

/// Splits 0 <= M < kMultiplierLimit, the mantissa rounded half away; below 2^-32 it becomes 0: 0.5
/// -> (2^30, 0), 0.75 -> (1610612736, 0), 0.00117 -> (1286428604, -9).
FixedMultiplier to_fixed(double m);

/// Variant kFixed on one accumulator, |acc| <= 2^31 (before the zero point and the clamp).
inline int64_t requantise_fixed(int64_t acc, FixedMultiplier m) {
  const int shift = 31 - m.exponent;  // 1..62 for the exponents to_fixed makes
  return (acc * m.m0 + (int64_t{1} << (shift - 1))) >> shift;
}

/// Variant kFloat on one accumulator, clamped to [lo, hi] (codes without zero point, below 2^24 in
/// size). M is finite.
inline int32_t requantise_float(int32_t acc, float m, int32_t lo, int32_t hi) {
  const float v = static_cast<float>(acc) * m;
  return static_cast<int32_t>(
      round_half_even(std::clamp(v, static_cast<float>(lo), static_cast<float>(hi))));
}

/// Onto the binary grid, either variant: the sign of acc M before it is rounded (-0.3 is -1), that
/// of zero +1. M >= 0.
inline int32_t binary_float(int32_t acc, float m) {
  return static_cast<float>(acc) * m >= 0 ? 1 : -1;
}
inline int32_t binary_fixed(int64_t acc, FixedMultiplier m) {
  return acc * m.m0 >= 0 ? 1 : -1;
}

/// Two multipliers with one common shift: the sum of two products is rounded once.
struct FixedSum {
  int32_t a = 0, b = 0;
  int shift = 31;
  friend bool operator==(const FixedSum&, const FixedSum&) = default;
};

/// Brings the multiplier with the longer shift (the smaller M) to the other's shift, half to even;
/// a zero multiplier has no say.
FixedSum to_fixed_sum(double m_a, double m_b);

/// Add, variant kFixed: a, b are codes without zero point (below 2^17 in size), so is the result.
inline int64_t add_fixed(int32_t a, int32_t b, const FixedSum& m) {
  return (int64_t{a} * m.a + int64_t{b} * m.b + (int64_t{1} << (m.shift - 1))) >> m.shift;
}

/// Add, variant kFloat: three binary32 operations, clamped to [lo, hi] like requantise_float.
inline int32_t add_float(int32_t a, int32_t b, float m_a, float m_b, int32_t lo, int32_t hi) {
  const float v = (static_cast<float>(a) * m_a) + (static_cast<float>(b) * m_b);
  return static_cast<int32_t>(
      round_half_even(std::clamp(v, static_cast<float>(lo), static_cast<float>(hi))));
}

}  // namespace nibble::numeric
