#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace nibble::inline base {

inline constexpr int kMaxRank = 8;
/// A dimension that is not known yet (a symbolic batch).
inline constexpr int64_t kUnknownDim = -1;

/// Dimensions of a dense row-major tensor, at most kMaxRank of them, without heap.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims) : rank_(static_cast<int>(dims.size())) {
    assert(rank_ <= kMaxRank);
    for (int i = 0; i < rank_; ++i) dims_[i] = dims[i];
  }

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return dims_[axis]; }
  int64_t& operator[](int axis) { return dims_[axis]; }
  void push_back(int64_t dim) {
    assert(rank_ < kMaxRank);
    dims_[rank_++] = dim;
  }
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }

  bool known() const {
    for (int64_t d : dims())
      if (d == kUnknownDim) return false;
    return true;
  }
  /// Product of all dimensions (1 for a scalar). Requires known().
  int64_t size() const { return size(0, rank_); }
  /// Product of the dimensions [first, last).
  int64_t size(int first, int last) const {
    int64_t n = 1;
    for (int i = first; i < last; ++i) n *= dims_[i];
    return n;
  }
  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a.dims_[i] != b.dims_[i]) return false;
    return true;
  }

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

/// "1x3x32x32", "Nx10" (N for an unknown dimension), "scalar".
std::string to_string(const Shape& shape);

/// `axis` counted from the front: -1 is the last. The caller has checked -rank <= axis < rank.
inline int normalize_axis(int64_t axis, int rank) {
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

}  // namespace nibble::inline base
