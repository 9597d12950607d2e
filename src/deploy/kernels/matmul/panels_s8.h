#pragma once

#include <cstdint>

namespace nibble::kernels {

/// Writes the panels [begin, end) of b, [k][n] signed codes, in panel8 order (format/panel8.h) as
/// u = b + 128: a right operand of MatmulS8 that is an activation. Padding is u = 128 in k and n.
/// `sums[n]` gets the sum of b over k for the columns of those panels (0 for missing ones).
void pack_panels_s8(const int8_t* b, int64_t k, int64_t n, int64_t begin, int64_t end, uint8_t* out,
                    int32_t* sums);

}  // namespace nibble::kernels
