#include "deploy/kernels/matmul/panels_f32.h"

#include <algorithm>

namespace nibble::kernels {

void pack_panels_f32(const MatrixB& b, int64_t begin, int64_t end, float* out) {
  if (b.k() == 0) return;  // nothing is there, not even an address
  for (int64_t panel = begin; panel < end; ++panel) {
    float* to = out + panel * kPanelF32 * b.k();
    const float* from = b.data + panel * kPanelF32 * b.n_stride;
    const int64_t width = std::min(b.n - panel * kPanelF32, kPanelF32);
    for (int64_t tap = 0; tap < b.taps; ++tap) {
      for (int64_t c = 0; c < b.channels; ++c, to += kPanelF32) {
        const float* row = from + tap * b.tap_stride + c * b.channel_stride;
        for (int64_t j = 0; j < width; ++j) to[j] = row[j * b.n_stride];
        std::fill(to + width, to + kPanelF32, 0.0f);
      }
    }
  }
}

}  // namespace nibble::kernels
