#include "deploy/kernels/matmul/window.h"

namespace nibble::kernels {

WindowPlan::WindowPlan(const Windows& windows, int64_t channels_stored)
    : windows_(windows), channels_stored_(channels_stored) {
  const Windows& w = windows_;
  rows_.batch = w.batch;
  rows_.rows = w.out;
  rows_.step = w.stride;
  rows_.pixel = w.groups * channels_stored;
  std::array<int64_t, 3> seen;  // extent that the windows need, padding included
  for (size_t i = 0; i < 3; ++i) {
    seen[i] = (w.out[i] - 1) * w.stride[i] + (w.kernel[i] - 1) * w.dilation[i] + 1;
    copies_ |= w.pad[i] > 0 || seen[i] > w.in[i];
  }
  copies_ |= channels_stored != w.channels;
  rows_.size = copies_ ? seen : w.in;

  // Taps along the last axis are one run of memory where nothing lies between them.
  const bool joined = w.groups == 1 && w.dilation[2] == 1;
  const int64_t taps2 = joined ? 1 : w.kernel[2];
  rows_.length = joined ? w.kernel[2] * channels_stored : channels_stored;
  rows_.segment.clear();
  for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0)
    for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1)
      for (int64_t k2 = 0; k2 < taps2; ++k2)
        rows_.segment.push_back(
            ((k0 * w.dilation[0] * rows_.size[1] + k1 * w.dilation[1]) * rows_.size[2] +
             k2 * w.dilation[2]) *
            rows_.pixel);
}

int64_t WindowPlan::pixels() const {
  return windows_.batch * rows_.size[0] * rows_.size[1] * rows_.size[2];
}

int64_t WindowPlan::copy_size() const {
  return copies_ ? pixels() * rows_.pixel : 0;
}

}  // namespace nibble::kernels
