#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>

#include "deploy/base/dtype.h"
#include "deploy/base/shape.h"

namespace nibble::inline base {

inline constexpr size_t kAlignment = 64;
constexpr size_t align_up(size_t n, size_t to = kAlignment) {
  return (n + to - 1) / to * to;
}

/// Owns bytes aligned to 64; their number is rounded up to a multiple of 64 so that whole vectors
/// may be read.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes) : size_(bytes) {
    if (bytes)
      data_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, align_up(bytes))));
    if (bytes && !data_) throw std::bad_alloc();
  }
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte[], Free> data_;
  size_t size_ = 0;
};

/// Borrows a dense row-major tensor.
struct TensorView {
  DType dtype = DType::kF32;
  Shape shape;
  void* data = nullptr;

  int64_t size() const { return shape.size(); }
  size_t bytes() const { return static_cast<size_t>(size()) * size_of(dtype); }
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  template <class T>
  std::span<T> span() const {
    return {static_cast<T*>(data), static_cast<size_t>(size())};
  }
};

/// Owns a dense row-major tensor. Copies are deep and explicit (clone).
class Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, const Shape& shape)
      : buffer_(static_cast<size_t>(shape.size()) * size_of(dtype)), dtype_(dtype), shape_(shape) {}
  template <class T>
  static Tensor of(const Shape& shape, std::span<const T> values) {
    Tensor t(dtype_of<T>(), shape);
    if (!values.empty()) std::memcpy(t.data(), values.data(), values.size_bytes());
    return t;
  }
  Tensor clone() const {
    Tensor t(dtype_, shape_);
    if (bytes()) std::memcpy(t.data(), data(), bytes());
    return t;
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t size() const { return shape_.size(); }
  size_t bytes() const { return buffer_.size(); }
  std::byte* data() { return buffer_.data(); }
  const std::byte* data() const { return buffer_.data(); }
  /// Same elements, other dimensions of equal product.
  void reshape(const Shape& shape) { shape_ = shape; }

  template <class T>
  std::span<T> span() {
    return {reinterpret_cast<T*>(data()), static_cast<size_t>(size())};
  }
  template <class T>
  std::span<const T> span() const {
    return {reinterpret_cast<const T*>(data()), static_cast<size_t>(size())};
  }
  TensorView view() { return {dtype_, shape_, data()}; }
  /// A view whose data must not be written.
  TensorView view() const { return {dtype_, shape_, const_cast<std::byte*>(data())}; }

 private:
  Buffer buffer_;
  DType dtype_ = DType::kF32;
  Shape shape_{0};
};

}  // namespace nibble::inline base
