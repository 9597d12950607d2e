#pragma once

#include <algorithm>
#include <cstdint>

#include "deploy/base/thread_pool.h"
#include "deploy/model/attributes.h"
#include "deploy/run/step.h"

namespace nibble::run {

/// Which scale of QuantizeLinear and DequantizeLinear an element takes: one for all, one an index
/// of `axis`, or one a block of block_size consecutive elements along `axis` (ONNX). The tensor is
/// covered by runs in which the scale stands still (step 0) or moves on with the elements (step 1).
class ScaleRuns {
 public:
  ScaleRuns() = default;
  /// Shapes as infer_shapes accepts them.
  ScaleRuns(const model::Attributes& attributes, const Shape& x, const Shape& scale);

  int64_t step() const { return step_; }

  /// f(first element, first scale, n): pieces of runs, split over threads.
  template <class F>
  void run(ThreadPool& pool, F f) const {
    if (length_ == 0 || runs_ == 0) return;
    const int64_t pieces = (length_ + kPiece - 1) / kPiece;
    const int64_t grain = std::max<int64_t>(1, kGrain / std::min(length_, kPiece));
    pool.parallel_for(runs_ * pieces, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Run run = run_at(i / pieces);
        const int64_t at = i % pieces * kPiece;
        if (at < run.length)
          f(run.first + at, run.scale + at * step_, std::min(kPiece, run.length - at));
      }
    });
  }

 private:
  static constexpr int64_t kPiece = 4096;   // elements
  static constexpr int64_t kGrain = 16384;  // elements worth a thread's while

  struct Run {
    int64_t first, scale, length;
  };
  Run run_at(int64_t run) const;

  int64_t runs_ = 1, length_ = 0;  // the longest run
  int64_t step_ = 0;
  // With blocks: [outer][dim][inner] elements, [outer][blocks][inner] scales.
  int64_t dim_ = 1, inner_ = 1, block_ = 0, blocks_ = 1;
};

}  // namespace nibble::run
