#include "deploy/run/steps/scale_runs.h"

namespace nibble::run {

using model::Attr;

ScaleRuns::ScaleRuns(const model::Attributes& attributes, const Shape& x, const Shape& scale) {
  const int64_t block = attributes.get_int(Attr::block_size, 0);
  if (scale.rank() == 0 || (block == 0 && scale.size() == 1)) {
    length_ = x.size();
    return;
  }
  const int axis = normalize_axis(attributes.get_int(Attr::axis, 1), x.rank());
  const int64_t outer = x.size(0, axis);
  dim_ = x[axis];
  inner_ = x.size(axis + 1, x.rank());
  if (inner_ != 1) {
    runs_ = outer * dim_;
    length_ = inner_;
    step_ = block == 0 ? 0 : 1;
  } else {
    runs_ = outer;
    length_ = dim_;
    step_ = 1;
  }
  if (block == 0) return;
  block_ = block;
  blocks_ = dim_ / block + (dim_ % block != 0);
  if (inner_ == 1) {
    runs_ = outer * blocks_;
    length_ = std::min(block, dim_);
    step_ = 0;
  }
}

ScaleRuns::Run ScaleRuns::run_at(int64_t run) const {
  if (block_ == 0) return {run * length_, step_ == 0 ? run % dim_ : 0, length_};
  if (inner_ != 1)
    return {run * inner_, (run / dim_ * blocks_ + run % dim_ / block_) * inner_, inner_};
  const int64_t start = run % blocks_ * block_;
  return {run / blocks_ * dim_ + start, run, std::min(block_, dim_ - start)};
}

}  // namespace nibble::run
