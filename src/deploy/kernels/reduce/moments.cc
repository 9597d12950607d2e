#include "deploy/kernels/reduce/moments.h"

namespace nibble::kernels {

Moments moments(const float* x, int64_t n, int64_t stride) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i * stride]);
  const double mean = sum / static_cast<double>(n);
  double squares = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double d = static_cast<double>(x[i * stride]) - mean;
    squares += d * d;
  }
  return {mean, squares / static_cast<double>(n)};
}

}  // namespace nibble::kernels
