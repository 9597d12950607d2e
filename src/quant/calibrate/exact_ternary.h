#pragma once

#include <span>

namespace nibble::calibrate {

/// The scale s of the ternary grid {-s, 0, s} with the least sum (x - x^)^2; 0 where all values are
/// 0. Exact: with |x| in descending order and S_k the sum of the first k, coding those k as +-1 is
/// best at s = S_k / k and leaves sum x^2 - S_k^2 / k; the best k of all wins (the smallest on
/// ties). Nearest rounding at that s codes the same k. Finite values; O(n log n).
double exact_ternary_scale(std::span<const float> values);

}  // namespace nibble::calibrate
