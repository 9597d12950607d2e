#pragma once

// For tests alone: the second result of a kernel, checked against its first.

#include <gtest/gtest.h>

#include <span>
#include <vector>

#include "deploy/kernels/requantise/codes.h"

namespace nibble::kernels::testing {

/// A copy of `size` codes through a map of two bits, on `isa`.
class CheckedCopy {
 public:
  CheckedCopy(Isa isa, size_t size) : kernel_(code_kernels(isa).map), to_(size, kUnwritten) {
    int8_t results[256];
    for (int i = 0; i < 256; ++i) results[i] = static_cast<int8_t>((i + 37) / 90);
    map_ = make_code_map(results);
  }

  CodeCopy of(const int8_t* from) { return {kernel_, &map_, from, to_.data()}; }

  /// Every code of rows of n, `stride` apart, is the map of its own in `first`; nothing lies
  /// between the rows.
  void expect(std::span<const int8_t> first, int64_t n, int64_t stride) const {
    ASSERT_EQ(first.size(), to_.size());
    for (size_t i = 0; i < to_.size(); ++i) {
      const bool inside = static_cast<int64_t>(i) % stride < n;
      ASSERT_EQ(to_[i], inside ? map_.of[static_cast<uint8_t>(first[i])] : kUnwritten) << i;
    }
  }

 private:
  static constexpr int8_t kUnwritten = 77;

  MapCodesKernel* kernel_;
  CodeMap map_;
  std::vector<int8_t> to_;
};

}  // namespace nibble::kernels::testing
