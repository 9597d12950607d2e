#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "deploy/base/cpu.h"
#include "deploy/base/thread_pool.h"
#include "deploy/kernels/depthwise/depthwise.h"
#include "deploy/kernels/matmul/window.h"

namespace nibble::kernels {

struct DepthwiseF32Variant {
  Isa isa;
  std::string_view name;
  DepthwiseF32Core* core;
};
struct DepthwiseS8Variant {
  Isa isa;
  std::string_view name;
  DepthwiseS8Core* core;
};
std::span<const DepthwiseF32Variant> depthwise_f32_variants();
std::span<const DepthwiseS8Variant> depthwise_s8_variants();

/// Taps of a filter that depthwise() takes.
inline constexpr int64_t kMaxDepthwiseTaps = 128;

/// Runs a core over all outputs of `w` (groups = channels of the image, channels = 1): each line of
/// outputs is cut into the pixels whose windows leave the image and the run between them. Taps
/// outside the image point into `padding`, a line of w.in[2] pixels. `taps`: those of the core, at
/// least w.taps(); further ones repeat the first.
template <class Problem, class T>
void depthwise(void (*core)(const Problem&, const T* const*, int64_t, int64_t, T*),
               const Problem& problem, const Windows& w, int64_t taps, const T* image,
               const T* padding, T* out, ThreadPool& pool) {
  const int64_t channels = w.groups, last = (w.kernel[2] - 1) * w.dilation[2];
  // Outputs [begin, end) of a line see only pixels of the line.
  const int64_t begin = std::min((w.pad[2] + w.stride[2] - 1) / w.stride[2], w.out[2]);
  const int64_t room = w.in[2] + w.pad[2] - last - 1;
  const int64_t end = std::clamp(room < 0 ? 0 : room / w.stride[2] + 1, begin, w.out[2]);
  const auto lines = [&](int64_t first, int64_t stop) {
    const T* pointers[kMaxDepthwiseTaps];
    for (int64_t line = first; line < stop; ++line) {
      const int64_t y1 = line % w.out[1], y0 = line / w.out[1] % w.out[0];
      const int64_t b = line / w.out[1] / w.out[0];
      const auto run = [&](int64_t y2, int64_t pixels) {
        int64_t t = 0;
        for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
          const int64_t x0 = y0 * w.stride[0] - w.pad[0] + k0 * w.dilation[0];
          for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1) {
            const int64_t x1 = y1 * w.stride[1] - w.pad[1] + k1 * w.dilation[1];
            const bool inside = x0 >= 0 && x0 < w.in[0] && x1 >= 0 && x1 < w.in[1];
            const T* from =
                inside ? image + ((b * w.in[0] + x0) * w.in[1] + x1) * w.in[2] * channels : padding;
            for (int64_t k2 = 0; k2 < w.kernel[2]; ++k2) {
              const int64_t x2 = y2 * w.stride[2] - w.pad[2] + k2 * w.dilation[2];
              pointers[t++] = x2 >= 0 && x2 < w.in[2] ? from + x2 * channels : padding;
            }
          }
        }
        for (; t < taps; ++t) pointers[t] = pointers[0];
        core(problem, pointers, w.stride[2] * channels, pixels,
             out + (line * w.out[2] + y2) * channels);
      };
      for (int64_t y2 = 0; y2 < begin; ++y2) run(y2, 1);
      if (end > begin) run(begin, end - begin);
      for (int64_t y2 = end; y2 < w.out[2]; ++y2) run(y2, 1);
    }
  };
  constexpr int64_t kGrainMacs = 32 * 1024;
  pool.parallel_for(w.batch * w.out[0] * w.out[1],
                    kGrainMacs / (w.out[2] * channels * w.taps() + 1) + 1, lines);
}

}  // namespace nibble::kernels
