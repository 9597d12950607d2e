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

/// Outputs [begin, end) of an axis see only pixels of the image.
struct InsideOutputs {
  int64_t begin, end;
};
InsideOutputs inside_outputs(const Windows& w, size_t axis);

/// The axis along which most runs of `depthwise` lie: 1, columns, where lines are short.
size_t depthwise_axis(const Windows& w, int64_t fold);

/// Writes the taps of the outputs from (line, y2) on that are neighbours along `axis` (1 or 2) and
/// have the same taps inside the image. `padding`: a pixel.
template <class T>
void depthwise_taps(const Windows& w, int64_t line, int64_t y2, size_t axis, const T* image,
                    const T* padding, Tap<T>* to) {
  const int64_t y1 = line % w.out[1], y0 = line / w.out[1] % w.out[0];
  const int64_t b = line / w.out[1] / w.out[0];
  const int64_t step = w.stride[axis] * w.groups * (axis == 2 ? 1 : w.in[2]);
  int64_t t = 0;
  for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
    const int64_t x0 = y0 * w.stride[0] - w.pad[0] + k0 * w.dilation[0];
    for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1) {
      const int64_t x1 = y1 * w.stride[1] - w.pad[1] + k1 * w.dilation[1];
      const bool inside = x0 >= 0 && x0 < w.in[0] && x1 >= 0 && x1 < w.in[1];
      const int64_t from = ((b * w.in[0] + x0) * w.in[1] + x1) * w.in[2];
      for (int64_t k2 = 0; k2 < w.kernel[2]; ++k2) {
        const int64_t x2 = y2 * w.stride[2] - w.pad[2] + k2 * w.dilation[2];
        if (inside && x2 >= 0 && x2 < w.in[2])
          to[t++] = {image + (from + x2) * w.groups, step};
        else
          to[t++] = {padding, 0};
      }
    }
  }
}

/// Runs a core over all outputs of `w` (groups = channels of the image, channels = 1). Outputs
/// whose windows leave the image at one side only are neighbours along that side: they make runs
/// as well. `order`: the taps of the window that the core takes, up to one more than there are, for
/// runs along depthwise_axis().
/// `fold`: of depthwise_fold, or 1. `padding`: a pixel of padding, `fold` times.
template <class Problem, class T>
void depthwise(DepthwiseCore<Problem, T>* core, const Problem& problem, int64_t fold,
               const Windows& w, std::span<const int32_t> order, const T* image, const T* padding,
               T* out, ThreadPool& pool) {
  const InsideOutputs columns = inside_outputs(w, 2), rows = inside_outputs(w, 1);
  Problem folded = problem;
  folded.channels *= fold;
  const auto run = [&](int64_t line, int64_t y2, size_t axis, int64_t outputs) {
    Tap<T> window[kMaxDepthwiseTaps], table[kMaxDepthwiseTaps + 1];
    depthwise_taps(w, line, y2, axis, image, padding, window);
    const size_t taps = order.size();
    for (size_t t = 0; t < taps; ++t) table[t] = window[order[t]];
    T* to = out + (line * w.out[2] + y2) * w.groups;
    if (axis == 1) return core(problem, table, outputs, to, w.out[2] * w.groups);
    if (fold > 1 && w.stride[2] == 1 && outputs >= fold) {
      for (size_t t = 0; t < taps; ++t) table[t].step *= fold;
      core(folded, table, outputs / fold, to, fold * w.groups);
      for (size_t t = 0; t < taps; ++t) {
        table[t].at += outputs / fold * table[t].step;
        table[t].step /= fold;
      }
      to += outputs / fold * fold * w.groups;
      outputs %= fold;
    }
    if (outputs > 0) core(problem, table, outputs, to, w.groups);
  };
  const auto column = [&](int64_t y2, int64_t first, int64_t stop) {
    for (int64_t line = first, next; line < stop; line = next) {
      const int64_t y1 = line % w.out[1];
      const bool inside = y1 >= rows.begin && y1 < rows.end;
      next = inside ? std::min(line + rows.end - y1, stop) : line + 1;
      run(line, y2, 1, next - line);
    }
  };
  constexpr int64_t kLines = 8;  // whose border columns are done while they are in a cache
  const auto lines = [&](int64_t first, int64_t stop) {
    if (depthwise_axis(w, fold) == 1) {
      for (int64_t y2 = 0; y2 < w.out[2]; ++y2) column(y2, first, stop);
      return;
    }
    for (int64_t line = first, next; line < stop; line = next) {
      next = std::min(line + kLines, stop);
      if (columns.end > columns.begin)
        for (int64_t i = line; i < next; ++i) run(i, columns.begin, 2, columns.end - columns.begin);
      for (int64_t y2 = 0; y2 < columns.begin; ++y2) column(y2, line, next);
      for (int64_t y2 = columns.end; y2 < w.out[2]; ++y2) column(y2, line, next);
    }
  };
  constexpr int64_t kGrainMacs = 32 * 1024;
  pool.parallel_for(w.batch * w.out[0] * w.out[1],
                    kGrainMacs / (w.out[2] * w.groups * w.taps() + 1) + 1, lines);
}

}  // namespace nibble::kernels
