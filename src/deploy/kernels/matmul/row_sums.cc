#include "deploy/kernels/matmul/row_sums.h"

#include <algorithm>

namespace nibble::kernels {
namespace {

constexpr int64_t kGrain = 4096;  // sums a task: a few microseconds

/// to[i] += from[i step], modulo 2^32.
void add_line(const int32_t* from, int64_t n, int32_t* to, int64_t step = 1) {
  const auto add = [](int32_t a, int32_t b) {
    return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
  };
  if (step == 1)
    for (int64_t i = 0; i < n; ++i) to[i] = add(to[i], from[i]);
  else
    for (int64_t i = 0; i < n; ++i) to[i] = add(to[i], from[i * step]);
}

}  // namespace

RowSums::RowSums(const WindowPlan& plan)
    : windows_(plan.windows()),
      size_(plan.rows().size),
      channels_(plan.channels_stored()),
      pixels_(plan.pixels() * windows_.groups),
      lines_(windows_.batch * size_[0] * size_[1] * windows_.out[2] * windows_.groups),
      rows_(plan.rows().count() * windows_.groups) {}

void RowSums::run(SumsS8Core* core, const int8_t* image, int32_t* scratch, int32_t* sums,
                  ThreadPool& pool) const {
  const Windows& w = windows_;
  int32_t* const pixels = one_to_one() ? sums : scratch;
  pool.parallel_for(pixels_, std::max<int64_t>(1, kGrain * 16 / std::max<int64_t>(channels_, 1)),
                    [&](int64_t begin, int64_t end) {
                      core(image + begin * channels_, end - begin, channels_, pixels + begin);
                    });
  if (one_to_one()) return;
  int32_t* const lines = scratch + pixels_;
  const int64_t line = w.out[2] * w.groups;
  pool.parallel_for(w.batch * size_[0] * size_[1], kGrain / (line + 1) + 1,
                    [&](int64_t begin, int64_t end) { sum_last_axis(pixels, lines, begin, end); });
  pool.parallel_for(w.batch * w.out[0] * w.out[1], kGrain / (line + 1) + 1,
                    [&](int64_t begin, int64_t end) { sum_other_axes(lines, sums, begin, end); });
}

/// lines[line][y2][g] = sum over k2 of pixels[line][y2 stride + k2 dilation][g].
void RowSums::sum_last_axis(const int32_t* pixels, int32_t* lines, int64_t begin,
                            int64_t end) const {
  const Windows& w = windows_;
  const int64_t line = w.out[2] * w.groups;
  for (int64_t i = begin; i < end; ++i) {
    const int32_t* from = pixels + i * size_[2] * w.groups;
    int32_t* to = lines + i * line;
    std::fill(to, to + line, 0);
    for (int64_t k = 0; k < w.kernel[2]; ++k, from += w.dilation[2] * w.groups) {
      if (w.stride[2] == 1) {
        add_line(from, line, to);
        continue;
      }
      for (int64_t y = 0; y < w.out[2]; ++y)
        add_line(from + y * w.stride[2] * w.groups, w.groups, to + y * w.groups);
    }
  }
}

/// sums[g][b, y0, y1, y2] = sum over k0, k1 of lines[b, y0 stride + k0 dilation, ...][y2][g].
void RowSums::sum_other_axes(const int32_t* lines, int32_t* sums, int64_t begin,
                             int64_t end) const {
  const Windows& w = windows_;
  const int64_t line = w.out[2] * w.groups, rows = rows_ / w.groups;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t y1 = i % w.out[1], y0 = i / w.out[1] % w.out[0], b = i / w.out[1] / w.out[0];
    const int32_t* from =
        lines + ((b * size_[0] + y0 * w.stride[0]) * size_[1] + y1 * w.stride[1]) * line;
    for (int64_t g = 0; g < w.groups; ++g) {
      int32_t* to = sums + g * rows + i * w.out[2];
      std::fill(to, to + w.out[2], 0);
      for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0)
        for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1)
          add_line(from + (k0 * w.dilation[0] * size_[1] + k1 * w.dilation[1]) * line + g, w.out[2],
                   to, w.groups);
    }
  }
}

}  // namespace nibble::kernels
