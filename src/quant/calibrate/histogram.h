#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nibble::calibrate {

/// Streaming histogram of finite values: linear bins whose width is a power of two and which double
/// (pairs merge) when a value does not fit. Bin i holds the values with trunc(x / width) = i, so
/// bin 0 covers (-width, width), the others [i width, (i+1) width) away from zero. Count and sum of
/// every bin are kept: its mean is exact where it holds one distinct value, as spikes at 0 or at a
/// clip do. The bins depend on the largest magnitude alone, not on the order of the batches, and
/// values scaled by a power of two fall into the same bins (while they are normal binary32).
class Histogram {
 public:
  struct Bin {
    double sum = 0;
    int64_t count = 0;
  };
  /// Bins on either side of 0; at least half of those of the longer side lie inside the range.
  static constexpr int32_t kSide = 8192;

  /// `magnitude` >= |x| for every x of `values`.
  void add(std::span<const float> values, float magnitude);
  void merge(const Histogram& other);

  double width() const;
  /// -kSide < i < kSide.
  Bin bin(int32_t i) const { return empty() ? Bin{} : bins_[static_cast<size_t>(i + kSide)]; }
  /// Values with trunc(|x| / width) = i, 0 <= i < kSide. `sum` is that of |x|; in bin 0, where both
  /// signs lie together, |sum of x|.
  Bin magnitude_bin(int32_t i) const;
  bool empty() const { return bins_.empty(); }

 private:
  void widen_to(int exponent);

  int exponent_ = 0;  // width = 2^exponent
  std::vector<Bin> bins_;
};

}  // namespace nibble::calibrate
