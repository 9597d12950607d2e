#include <cmath>

#include "deploy/kernels/matmul/matmul_f32.h"

namespace nibble::kernels::portable {

void matmul_f32(const MatmulF32& p, const float* const* rows, int64_t m, float* out, int64_t stride,
                int64_t panel_begin, int64_t panel_end) {
  for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
    const int64_t n0 = panel * kPanelF32;
    const int64_t width = p.n - n0 < kPanelF32 ? p.n - n0 : kPanelF32;
    for (int64_t i = 0; i < m; ++i) {
      float acc[kPanelF32];
      for (int64_t j = 0; j < width; ++j)
        acc[j] = p.bias ? p.bias[n0 + j] : out[i * stride + n0 + j];
      const float* b = p.b + panel * p.panel_stride;
      for (int64_t s = 0; s < p.segments; ++s) {
        const float* a = rows[i] + p.segment[s];
        for (int64_t k = 0; k < p.length; ++k, b += kPanelF32)
          for (int64_t j = 0; j < width; ++j) acc[j] = std::fma(a[k], b[j], acc[j]);
      }
      for (int64_t j = 0; j < width; ++j) {
        const float raised = p.lo > acc[j] ? p.lo : acc[j];
        out[i * stride + n0 + j] = p.hi < raised ? p.hi : raised;
      }
    }
  }
}

}  // namespace nibble::kernels::portable
