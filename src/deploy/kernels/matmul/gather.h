#pragma once

#include <cstdint>

#include "deploy/base/thread_pool.h"
#include "deploy/kernels/matmul/window.h"

namespace nibble::kernels {

/// Makes the rows of an implicit matrix explicit, for images of few channels (one group): a row is
/// kernel0 x kernel1 runs of kernel2 * channels codes, each stored as `run` bytes (a multiple of 4)
/// with zeros behind. A line is the rows of the outputs along the last axis.
class GatherRows {
 public:
  GatherRows() = default;
  GatherRows(const Windows& windows, int64_t run);

  int64_t row_bytes() const { return row_bytes_; }
  int64_t lines() const { return windows_.batch * windows_.out[0] * windows_.out[1]; }
  int64_t rows_of_a_line() const { return windows_.out[2]; }
  /// Lines whose rows take about that many bytes: at least one, at most all.
  int64_t lines_in(int64_t bytes) const;

  /// Lines [first, first + count) to `to`. Taps outside the image are `padding`.
  void run(const int8_t* image, int8_t padding, int64_t first, int64_t count, int8_t* to,
           ThreadPool& pool) const;

 private:
  void one_line(const int8_t* line, int8_t padding, int8_t* to) const;
  void border(const int8_t* line, int64_t begin, int64_t end, int8_t padding, int8_t* to) const;

  Windows windows_;
  int64_t run_ = 0, row_bytes_ = 0;
};

}  // namespace nibble::kernels
