#include <cmath>

#include "deploy/kernels/depthwise/depthwise.h"
#include "deploy/kernels/simd/output_s8_reference.h"

namespace nibble::kernels::portable {

void depthwise_f32(const DepthwiseF32& p, const Tap<float>* taps, int64_t outputs, float* out,
                   int64_t out_step) {
  const int64_t padded =
      (p.channels + kDepthwiseBlockF32 - 1) / kDepthwiseBlockF32 * kDepthwiseBlockF32;
  for (int64_t i = 0; i < outputs; ++i, out += out_step) {
    for (int64_t c = 0; c < p.channels; ++c) {
      float acc = p.bias[c];
      for (int64_t t = 0; t < p.taps; ++t)
        acc = std::fma(taps[t].at[i * taps[t].step + c], p.weights[t * padded + c], acc);
      const float raised = p.lo > acc ? p.lo : acc;
      out[c] = p.hi < raised ? p.hi : raised;
    }
  }
}

void depthwise_s8(const DepthwiseS8& p, const Tap<int8_t>* taps, int64_t outputs, int8_t* out,
                  int64_t out_step) {
  for (int64_t i = 0; i < outputs; ++i, out += out_step) {
    for (int64_t c = 0; c < p.channels; ++c) {
      uint32_t sum = 0;
      for (int64_t t = 0; t < 2 * p.pairs; ++t)
        sum += static_cast<uint32_t>(taps[t].at[i * taps[t].step + c] *
                                     p.weights[depthwise_s8_offset(p.pairs, c, t)]);
      out[c] = output_s8(p.output, c, static_cast<int32_t>(sum), 0);
    }
  }
}

}  // namespace nibble::kernels::portable
