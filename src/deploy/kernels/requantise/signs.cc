#include "deploy/kernels/requantise/signs.h"

#include <algorithm>

#include "deploy/numeric/requantise.h"
#include "deploy/numeric/rounding.h"

namespace nibble::kernels {
namespace {

template <class Q>
void signs(const Q* q, int8_t* y, int64_t n, const CodeFactors& f, CodeRange r, bool fixed) {
  for (int64_t i = 0; i < n; ++i) {
    const int32_t acc = q[i] - f.zero_a;
    const int32_t sign = fixed ? numeric::binary_fixed(acc, {f.fixed_a, 31 - f.shift})
                               : numeric::binary_float(acc, f.m_a);
    y[i] = static_cast<int8_t>(std::clamp(sign, r.lo, r.hi));
  }
}

}  // namespace

void signs_of_reals(const float* x, int8_t* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<int8_t>(numeric::quantize_binary(x[i]));
}

void signs_of_codes(DType dtype, const void* q, int8_t* y, int64_t n, const CodeFactors& factors,
                    CodeRange range, bool fixed) {
  if (dtype == DType::kI8)
    signs(static_cast<const int8_t*>(q), y, n, factors, range, fixed);
  else
    signs(static_cast<const int16_t*>(q), y, n, factors, range, fixed);
}

}  // namespace nibble::kernels
