#pragma once

#include <cstdint>
#include <limits>

#include "deploy/base/cpu.h"
#include "deploy/kernels/float/float.h"
#include "deploy/model/attributes.h"

namespace nibble::run {

/// The fused activation of a node with a binary32 output: y = min(max(y, clip_min), clip_max), NaN
/// kept. A kernel either takes the bounds or, having just written a piece of the output, applies
/// the clip to it while it is in cache.
class FusedClip {
 public:
  FusedClip() = default;
  FusedClip(const model::Attributes& attributes, Isa isa);

  bool active() const { return kernel_ != nullptr; }
  float min() const { return bounds_.a; }  // -inf, inf where a side is open
  float max() const { return bounds_.b; }
  void apply(float* y, int64_t n) const {
    if (kernel_ != nullptr) kernel_(y, y, n, bounds_);
  }

 private:
  kernels::UnaryKernel* kernel_ = nullptr;
  kernels::UnaryParams bounds_ = {-std::numeric_limits<float>::infinity(),
                                  std::numeric_limits<float>::infinity()};
};

}  // namespace nibble::run
