#include "deploy/run/steps/packed_b.h"

#include <algorithm>

namespace nibble::run {

using kernels::panels_f32;

void PackedB::prepare(const kernels::MatrixB& layout, int64_t groups, int64_t group_stride) {
  const bool done = constant_ && layout.data == layout_.data && layout.n == layout_.n &&
                    layout.k() == layout_.k() && groups == groups_;
  layout_ = layout;
  groups_ = groups;
  group_stride_ = group_stride;
  constant_ = layout.data != nullptr;
  if (!constant_ || done) return;
  packed_ = Buffer(bytes());
  pack(layout.data, reinterpret_cast<float*>(packed_.data()), 0, groups * panels_f32(layout.n));
}

/// Panels [begin, end) counted over all groups.
void PackedB::pack(const float* data, float* to, int64_t begin, int64_t end) const {
  const int64_t panels = panels_f32(layout_.n);
  while (begin < end) {
    const int64_t group = begin / panels, first = begin % panels;
    const int64_t last = std::min(panels, first + end - begin);
    kernels::MatrixB b = layout_;
    b.data = data + group * group_stride_;
    kernels::pack_panels_f32(b, first, last, to + group * group_size());
    begin += last - first;
  }
}

const float* PackedB::panels(const void* data, std::byte* scratch, ThreadPool& pool) const {
  if (constant_) return reinterpret_cast<const float*>(packed_.data());
  auto* to = reinterpret_cast<float*>(scratch);
  pool.parallel_for(groups_ * panels_f32(layout_.n), 4, [&](int64_t begin, int64_t end) {
    pack(static_cast<const float*>(data), to, begin, end);
  });
  return to;
}

}  // namespace nibble::run
