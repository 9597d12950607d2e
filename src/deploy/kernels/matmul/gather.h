#pragma once

#include <cstdint>

#include "deploy/base/thread_pool.h"
#include "deploy/kernels/matmul/window.h"

namespace nibble::kernels {

/// Makes the rows of an implicit matrix explicit, for images of few channels (one group): a row is
/// kernel0 x kernel1 runs of kernel2 * channels codes, each stored as `run` bytes with zeros
/// behind. What copying a small image over costs is less than what channels padded to 4 would.
class GatherRows {
 public:
  GatherRows() = default;
  GatherRows(const Windows& windows, int64_t run);

  /// The windows over the result: every row a pixel, one tap.
  Windows rows() const;
  /// Bytes of the result.
  int64_t size() const;

  /// Taps outside the image are `padding`.
  void run(const int8_t* image, int8_t padding, int8_t* to, ThreadPool& pool) const;

 private:
  void one_line(const int8_t* line, int8_t padding, int8_t* to) const;
  void border(const int8_t* line, int64_t begin, int64_t end, int8_t padding, int8_t* to,
              int64_t step) const;

  Windows windows_;
  int64_t run_ = 0;
};

}  // namespace nibble::kernels
