#pragma once

#include <cstddef>
#include <cstdint>

#include "deploy/numeric/quant_params.h"

namespace nibble::numeric {

/// Which scale belongs to an element of a dense row-major tensor: the order of QuantParams::scales
/// in one place. `params` must fit `shape` (check), except that its scales may still be missing.
class ScaleIndex {
 public:
  ScaleIndex(const QuantParams& params, const Shape& shape);

  /// Number of scales, and of elements.
  size_t count() const { return static_cast<size_t>(channels_ * blocks_); }
  int64_t size() const { return size_; }

  /// Index into QuantParams::scales of the element at row-major position `element`.
  size_t operator[](int64_t element) const {
    const int64_t channel = element / channel_stride_ % channel_dim_ / channel_group_;
    const int64_t block = element / block_stride_ % block_dim_ / block_group_;
    return static_cast<size_t>(channel * blocks_ + block);
  }

  /// Covers the tensor with runs of consecutive elements that share a scale, in ascending order:
  /// f(int64_t first, int64_t length, size_t scale).
  template <class F>
  void for_each_run(F&& f) const {
    for (int64_t first = 0; first < size_;) {
      // The run ends where the innermost scaled axis changes group, or wraps.
      const int64_t in_axis = first / run_stride_ % run_dim_;
      int64_t stop = (in_axis / run_group_ + 1) * run_group_;
      if (stop > run_dim_) stop = run_dim_;
      const int64_t length = (stop - in_axis) * run_stride_ - first % run_stride_;
      f(first, length, (*this)[first]);
      first += length;
    }
  }

 private:
  int64_t size_;
  int64_t channels_ = 1, blocks_ = 1;
  int64_t channel_stride_ = 1, channel_dim_ = 1, channel_group_ = 1;
  int64_t block_stride_ = 1, block_dim_ = 1, block_group_ = 1;
  int64_t run_stride_ = 1, run_dim_ = 1, run_group_ = 1;
};

}  // namespace nibble::numeric
