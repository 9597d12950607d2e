#pragma once

#include <cstdint>

namespace nibble::kernels {

/// The scale of codes -127..127 for a row of n >= 0 reals:
///   s = max(min(max |x|, largest finite) / 127, 2^-126)
/// in binary32. NaNs do not count.
float dynamic_scale(const float* x, int64_t n);

}  // namespace nibble::kernels
