#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "deploy/base/shape.h"
#include "deploy/base/thread_pool.h"

namespace nibble::run {

/// NumPy broadcasting of up to three operands to one output, as few rows as possible: axes of
/// length 1 are dropped, neighbours that all operands walk alike are merged. A row has `length`
/// output elements; in it operand k stands still (step 0) or moves on by one element (step 1).
class Broadcast {
 public:
  static constexpr size_t kOperands = 3;
  using Offsets = std::array<int64_t, kOperands>;

  Broadcast() = default;
  /// Each operand's shape broadcasts to `output` (checked by infer_shapes).
  Broadcast(const Shape& output, std::span<const Shape> operands);

  int64_t length() const { return length_; }
  int64_t rows() const { return rows_; }
  int64_t step(size_t operand) const { return steps_[operand]; }
  /// Element offset of each operand at the start of row `row`.
  Offsets row_offsets(int64_t row) const;

  /// f(y, offsets, n): output elements [y, y + n) from the operands at `offsets`. Pieces of at most
  /// kPiece elements, split over threads.
  template <class F>
  void run(ThreadPool& pool, F f) const {
    if (length_ == 0 || rows_ == 0) return;
    const int64_t pieces = (length_ + kPiece - 1) / kPiece;
    const int64_t grain = std::max<int64_t>(1, kGrain / std::min(length_, kPiece));
    pool.parallel_for(rows_ * pieces, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t row = i / pieces, at = i % pieces * kPiece;
        Offsets offsets = row_offsets(row);
        for (size_t k = 0; k < kOperands; ++k) offsets[k] += at * steps_[k];
        f(row * length_ + at, offsets, std::min(kPiece, length_ - at));
      }
    });
  }

 private:
  static constexpr int64_t kPiece = 4096;   // elements: a few operands of it fit in L1
  static constexpr int64_t kGrain = 16384;  // elements worth a thread's while

  int64_t length_ = 1;
  int64_t rows_ = 1;
  Offsets steps_{};
  int rank_ = 0;  // of the rows
  std::array<int64_t, kMaxRank> dims_{};
  std::array<Offsets, kMaxRank> strides_{};
};

}  // namespace nibble::run
