#pragma once

#include <cstdint>

#include "deploy/kernels/matmul/matmul_f32.h"

namespace nibble::kernels {

/// A right operand to be packed: b[k][n], k = (tap, channel), is
/// data[tap * tap_stride + channel * channel_stride + n * n_stride].
struct MatrixB {
  const float* data = nullptr;
  int64_t n = 0;
  int64_t taps = 1, channels = 0;
  int64_t tap_stride = 0, channel_stride = 0, n_stride = 0;

  int64_t k() const { return taps * channels; }
};

constexpr int64_t panels_f32(int64_t n) {
  return (n + kPanelF32 - 1) / kPanelF32;
}
/// Elements of the packed form of n columns of k values.
constexpr int64_t packed_f32(int64_t n, int64_t k) {
  return panels_f32(n) * kPanelF32 * k;
}

/// Writes the panels [begin, end) of `b` (layout: matmul_f32.h) at their place in `out`.
void pack_panels_f32(const MatrixB& b, int64_t begin, int64_t end, float* out);

}  // namespace nibble::kernels
