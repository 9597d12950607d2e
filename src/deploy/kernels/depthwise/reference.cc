#include <cmath>

#include "deploy/kernels/depthwise/depthwise.h"
#include "deploy/kernels/simd/output_s8_reference.h"

namespace nibble::kernels::portable {

void depthwise_f32(const DepthwiseF32& p, const float* const* taps, int64_t step, int64_t pixels,
                   float* out) {
  const int64_t padded =
      (p.channels + kDepthwiseBlockF32 - 1) / kDepthwiseBlockF32 * kDepthwiseBlockF32;
  for (int64_t i = 0; i < pixels; ++i) {
    for (int64_t c = 0; c < p.channels; ++c) {
      float acc = p.bias[c];
      for (int64_t t = 0; t < p.taps; ++t)
        acc = std::fma(taps[t][i * step + c], p.weights[t * padded + c], acc);
      const float raised = p.lo > acc ? p.lo : acc;
      *out++ = p.hi < raised ? p.hi : raised;
    }
  }
}

void depthwise_s8(const DepthwiseS8& p, const int8_t* const* taps, int64_t step, int64_t pixels,
                  int8_t* out) {
  for (int64_t i = 0; i < pixels; ++i) {
    for (int64_t c = 0; c < p.channels; ++c) {
      uint32_t sum = 0;
      for (int64_t t = 0; t < 2 * p.pairs; ++t)
        sum += static_cast<uint32_t>(taps[t][i * step + c] *
                                     p.weights[depthwise_s8_offset(p.pairs, c, t)]);
      *out++ = output_s8(p.output, c, static_cast<int32_t>(sum), 0);
    }
  }
}

}  // namespace nibble::kernels::portable
