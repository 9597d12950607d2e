#include "deploy/kernels/matmul/gather.h"

#include <algorithm>
#include <cstring>

namespace nibble::kernels {
namespace {

/// `count` runs of n codes, `from_step` apart, each with zeros up to `run` bytes. `Move` is as many
/// bytes as are copied at once: n or fewer, the last move overlaps the one before.
template <class Move>
void copy_runs(const int8_t* from, int64_t from_step, int64_t n, int64_t run, int64_t count,
               int8_t* to, int64_t to_step) {
  constexpr int64_t kMove = sizeof(Move);
  for (int64_t i = 0; i < count; ++i, from += from_step, to += to_step) {
    std::memset(to + run - 4, 0, 4);
    for (int64_t j = 0; j + kMove < n; j += kMove) std::memcpy(to + j, from + j, kMove);
    std::memcpy(to + n - kMove, from + n - kMove, kMove);
  }
}

}  // namespace

GatherRows::GatherRows(const Windows& windows, int64_t run)
    : windows_(windows), run_(run), row_bytes_(windows.kernel[0] * windows.kernel[1] * run) {}

int64_t GatherRows::lines_in(int64_t bytes) const {
  return std::clamp<int64_t>(bytes / (row_bytes_ * rows_of_a_line() + 1), 1,
                             std::max<int64_t>(lines(), 1));
}

/// Runs that reach beyond the image: outputs [begin, end) of a line; a null `line` is outside
/// whole.
void GatherRows::border(const int8_t* line, int64_t begin, int64_t end, int8_t padding,
                        int8_t* to) const {
  const Windows& w = windows_;
  for (int64_t y2 = begin; y2 < end; ++y2, to += row_bytes_) {
    int64_t x2 = y2 * w.stride[2] - w.pad[2], at = 0;
    for (int64_t k = 0; k < w.kernel[2]; ++k, x2 += w.dilation[2]) {
      const bool inside = line && x2 >= 0 && x2 < w.in[2];
      for (int64_t i = 0; i < w.channels; ++i)
        to[at++] = inside ? line[x2 * w.channels + i] : padding;
    }
    while (at < run_) to[at++] = 0;
  }
}

/// The runs of one tap of the other axes, for all outputs of a line.
void GatherRows::one_line(const int8_t* line, int8_t padding, int8_t* to) const {
  const Windows& w = windows_;
  const int64_t n = w.kernel[2] * w.channels;
  // Contiguous runs lie inside for outputs [begin, end).
  int64_t begin = 0, end = 0;
  if (line && (w.dilation[2] == 1 || w.kernel[2] == 1)) {
    const int64_t room = w.in[2] + w.pad[2] - w.kernel[2];
    begin = std::min((w.pad[2] + w.stride[2] - 1) / w.stride[2], w.out[2]);
    end = std::clamp(room < 0 ? 0 : room / w.stride[2] + 1, begin, w.out[2]);
  }
  border(line, 0, begin, padding, to);
  if (end > begin) {
    const int8_t* from = line + (begin * w.stride[2] - w.pad[2]) * w.channels;
    const auto copy = n >= 8   ? copy_runs<uint64_t>
                      : n >= 4 ? copy_runs<uint32_t>
                               : copy_runs<uint8_t>;
    copy(from, w.stride[2] * w.channels, n, run_, end - begin, to + begin * row_bytes_, row_bytes_);
  }
  border(line, end, w.out[2], padding, to + end * row_bytes_);
}

void GatherRows::run(const int8_t* image, int8_t padding, int64_t first, int64_t count, int8_t* to,
                     ThreadPool& pool) const {
  const Windows& w = windows_;
  const int64_t line_bytes = w.out[2] * row_bytes_;
  const auto lines = [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      const int64_t i = first + line;
      const int64_t y1 = i % w.out[1], y0 = i / w.out[1] % w.out[0], b = i / w.out[1] / w.out[0];
      int8_t* p = to + line * line_bytes;
      for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
        const int64_t x0 = y0 * w.stride[0] - w.pad[0] + k0 * w.dilation[0];
        for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1, p += run_) {
          const int64_t x1 = y1 * w.stride[1] - w.pad[1] + k1 * w.dilation[1];
          const bool inside = x0 >= 0 && x0 < w.in[0] && x1 >= 0 && x1 < w.in[1];
          const int64_t at = ((b * w.in[0] + x0) * w.in[1] + x1) * w.in[2] * w.channels;
          one_line(inside ? image + at : nullptr, padding, p);
        }
      }
    }
  };
  constexpr int64_t kGrainBytes = 32 * 1024;
  pool.parallel_for(count, kGrainBytes / (line_bytes + 1) + 1, lines);
}

}  // namespace nibble::kernels
