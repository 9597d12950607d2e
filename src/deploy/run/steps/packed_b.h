#pragma once

#include <cstddef>

#include "deploy/base/tensor.h"
#include "deploy/base/thread_pool.h"
#include "deploy/kernels/matmul/panels_f32.h"

namespace nibble::run {

/// The packed right operand of float products: `groups` matrices of one layout, `group_stride`
/// elements apart in their tensor. A constant is packed once, while preparing; anything else at
/// each run, into scratch.
class PackedB {
 public:
  /// `layout.data`: the tensor where it is constant, else null.
  void prepare(const kernels::MatrixB& layout, int64_t groups, int64_t group_stride);

  /// Scratch that panels() needs, in bytes.
  size_t scratch_bytes() const { return constant_ ? 0 : bytes(); }

  /// Panels of all groups, group_size() elements each. `data`: the tensor, `scratch`: its packed
  /// form unless constant.
  const float* panels(const void* data, std::byte* scratch, ThreadPool& pool) const;
  int64_t group_size() const { return kernels::packed_f32(layout_.n, layout_.k()); }

 private:
  size_t bytes() const { return static_cast<size_t>(groups_ * group_size()) * sizeof(float); }
  void pack(const float* data, float* to, int64_t begin, int64_t end) const;

  kernels::MatrixB layout_;
  int64_t groups_ = 0, group_stride_ = 0;
  bool constant_ = false;
  Buffer packed_;
};

}  // namespace nibble::run
