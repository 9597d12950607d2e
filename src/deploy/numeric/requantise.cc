#include "deploy/numeric/requantise.h"

#include <cassert>

namespace nibble::numeric {

FixedMultiplier to_fixed(double m) {
  assert(m >= 0 && m < kMultiplierLimit);
  int exponent = 0;
  const double mantissa = std::frexp(m, &exponent);  // [1/2, 1), or 0 for 0
  int64_t m0 = static_cast<int64_t>(std::round(std::ldexp(mantissa, 31)));
  if (m0 == int64_t{1} << 31) {
    m0 >>= 1;
    ++exponent;
  }
  if (m0 == 0 || exponent < -31) return {};
  return {static_cast<int32_t>(m0), exponent};
}

FixedSum to_fixed_sum(double m_a, double m_b) {
  const FixedMultiplier a = to_fixed(m_a), b = to_fixed(m_b);
  if (a.m0 == 0) return {0, b.m0, 31 - b.exponent};
  if (b.m0 == 0) return {a.m0, 0, 31 - a.exponent};
  const int exponent = std::max(a.exponent, b.exponent);
  const auto align = [exponent](FixedMultiplier m) {
    return static_cast<int32_t>(divide_half_even(m.m0, int64_t{1} << (exponent - m.exponent)));
  };
  return {align(a), align(b), 31 - exponent};
}

}  // namespace nibble::numeric
