#pragma once

#include <algorithm>

#include "deploy/kernels/simd/output_s8.h"
#include "deploy/numeric/requantise.h"

namespace nibble::kernels::portable {

/// One code of channel n from its sum, the definition.
inline int8_t output_s8(const OutputS8& out, int64_t n, int32_t sum, int32_t row_sum) {
  const uint32_t correction = static_cast<uint32_t>(out.bias[n]) -
                              static_cast<uint32_t>(out.w_zero[n]) * static_cast<uint32_t>(row_sum);
  const auto acc = static_cast<int32_t>((static_cast<uint32_t>(sum) << out.sum_shift) + correction);
  const int32_t lo = out.y_min - out.y_zero, hi = out.y_max - out.y_zero;
  if (out.binary) {
    const int32_t sign = out.multiplier ? numeric::binary_float(acc, out.multiplier[n])
                                        : numeric::binary_fixed(acc, {out.m0[n], 0});
    return static_cast<int8_t>(std::clamp(sign, lo, hi) + out.y_zero);
  }
  if (out.multiplier)
    return static_cast<int8_t>(numeric::requantise_float(acc, out.multiplier[n], lo, hi) +
                               out.y_zero);
  const int64_t code = numeric::requantise_fixed(acc, {out.m0[n], 31 - out.shift[n]});
  return static_cast<int8_t>(std::clamp<int64_t>(code, lo, hi) + out.y_zero);
}

/// The code y with its residual r added.
inline int8_t add_residual_s8(const OutputS8& out, int8_t y, int8_t r) {
  const ResidualS8& add = out.residual;
  return static_cast<int8_t>(numeric::add_float(y - out.y_zero, r - add.r_zero, add.m_y, add.m_r,
                                                add.lo - add.zero, add.hi - add.zero) +
                             add.zero);
}

}  // namespace nibble::kernels::portable
