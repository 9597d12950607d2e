#include "deploy/kernels/reduce/reduce.h"

namespace nibble::kernels {
namespace {

template <int kRows>
void sums_of(const float* x, int64_t stride, int64_t n, float* y) {
  float sum[kRows] = {};
  for (int64_t i = 0; i < n; ++i)
    for (int r = 0; r < kRows; ++r) sum[r] += x[r * stride + i];
  for (int r = 0; r < kRows; ++r) y[r] = sum[r];
}

}  // namespace

void row_sums(const float* x, int64_t rows, int64_t stride, int64_t n, float* y) {
  int64_t r = 0;
  for (; r + 8 <= rows; r += 8) sums_of<8>(x + r * stride, stride, n, y + r);
  for (; r < rows; ++r) sums_of<1>(x + r * stride, stride, n, y + r);
}

}  // namespace nibble::kernels
