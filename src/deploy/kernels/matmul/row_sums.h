#pragma once

#include <cstdint>

#include "deploy/base/thread_pool.h"
#include "deploy/kernels/matmul/matmul_s8.h"
#include "deploy/kernels/matmul/window.h"

namespace nibble::kernels {

/// sums[g][row] = the sum of all activations under window `row` in group g: what the offset of the
/// weights is multiplied by. Channels first, then taps of the last axis, then the others, so that
/// neighbouring windows share work.
class RowSums {
 public:
  RowSums() = default;
  explicit RowSums(const WindowPlan& plan);

  /// int32 elements of scratch that run() needs.
  int64_t scratch_size() const { return one_to_one() ? 0 : pixels_ + lines_; }
  /// int32 elements of the result: groups x rows.
  int64_t size() const { return rows_; }

  /// `image`: what plan.rows() speaks of (the copy where the plan copies).
  void run(SumsS8Core* core, const int8_t* image, int32_t* scratch, int32_t* sums,
           ThreadPool& pool) const;

 private:
  /// One group and one window a pixel: the sums of the pixels are the result.
  bool one_to_one() const {
    return windows_.groups == 1 && windows_.taps() == 1 && pixels_ == rows_;
  }
  void sum_last_axis(const int32_t* pixels, int32_t* lines, int64_t begin, int64_t end) const;
  void sum_other_axes(const int32_t* lines, int32_t* sums, int64_t begin, int64_t end) const;

  Windows windows_;
  std::array<int64_t, 3> size_{};              // of the image
  int64_t channels_ = 0;                       // stored, of one group
  int64_t pixels_ = 0, lines_ = 0, rows_ = 0;  // elements of each stage, groups included
};

}  // namespace nibble::kernels
