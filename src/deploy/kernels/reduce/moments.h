#pragma once

#include <cstdint>

namespace nibble::kernels {

struct Moments {
  double mean = 0;
  double variance = 0;  // of the population
};

/// mean = sum x / n, variance = sum (x - mean)^2 / n over x[0], x[stride], ...: binary64,
/// ascending, two passes. n >= 1.
Moments moments(const float* x, int64_t n, int64_t stride = 1);

}  // namespace nibble::kernels
