// Rows onto the binary grid (codes -1 and +1 in i8; docs/numerics.md):
//
//   reals:  y[i] = x[i] < 0 ? -1 : +1                                   NaN gives +1
//   codes:  y[i] = clamp(v >= 0 ? +1 : -1, lo, hi)
//           variant float: v = float(q[i] - zero_a) m_a; variant fixed: v = (q[i] - zero_a) fixed_a
//
// Any n >= 0, no alignment. Plain loops: the same bytes on every ISA.
#pragma once

#include <cstdint>

#include "deploy/kernels/requantise/codes.h"

namespace nibble::kernels {

void signs_of_reals(const float* x, int8_t* y, int64_t n);
/// Codes of i8 or i16. `fixed`: the model's variant.
void signs_of_codes(DType dtype, const void* q, int8_t* y, int64_t n, const CodeFactors& factors,
                    CodeRange range, bool fixed);

}  // namespace nibble::kernels
