#include "deploy/numeric/scale_index.h"

#include <algorithm>

namespace nibble::numeric {

ScaleIndex::ScaleIndex(const QuantParams& p, const Shape& shape) : size_(shape.size()) {
  run_dim_ = run_group_ = size_ > 0 ? size_ : 1;
  if (p.granularity == Granularity::kTensor || size_ == 0) return;
  channel_dim_ = shape[p.axis];
  channel_stride_ = shape.size(p.axis + 1, shape.rank());
  if (p.granularity == Granularity::kGroup) channel_group_ = std::min(p.group, channel_dim_);
  channels_ = (channel_dim_ + channel_group_ - 1) / channel_group_;
  if (p.granularity == Granularity::kBlock) {
    block_dim_ = shape[p.block_axis];
    block_stride_ = shape.size(p.block_axis + 1, shape.rank());
    block_group_ = std::min(p.group, block_dim_);
    blocks_ = (block_dim_ + block_group_ - 1) / block_group_;
  }
  const bool block_is_inner = p.granularity == Granularity::kBlock && p.block_axis > p.axis;
  run_stride_ = block_is_inner ? block_stride_ : channel_stride_;
  run_dim_ = block_is_inner ? block_dim_ : channel_dim_;
  run_group_ = block_is_inner ? block_group_ : channel_group_;
}

}  // namespace nibble::numeric
