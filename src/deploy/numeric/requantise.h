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

/// Splits a non-negative M < 2^30: 0.5 -> (2^30, 0), 0.75 -> (1610612736, 0), 0.00117 ->
/// (1286428604, -9).
FixedMultiplier to_fixed(double m);

/// Variant kFixed on one accumulator (before the zero point and the clamp).
inline int64_t requantise_fixed(int64_t acc, FixedMultiplier m) {
  const int shift = 31 - m.exponent;  // 1..62 for the exponents to_fixed makes
  return (acc * m.m0 + (int64_t{1} << (shift - 1))) >> shift;
}

/// Variant kFloat on one accumulator, clamped to [lo, hi] (codes without zero point).
inline int32_t requantise_float(int32_t acc, float m, int32_t lo, int32_t hi) {
  const float v = static_cast<float>(acc) * m;
  return static_cast<int32_t>(
      round_half_even(std::clamp(v, static_cast<float>(lo), static_cast<float>(hi))));
}

}  // namespace nibble::numeric
