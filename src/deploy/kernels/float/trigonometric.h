#pragma once

namespace nibble::kernels {

/// sin(x + quarter pi/2) for any finite x: Payne and Hanek's reduction with 128 bits of 2/pi. NaN
/// for infinities and NaN.
float sine_of_huge(float x, int quarter);

}  // namespace nibble::kernels
