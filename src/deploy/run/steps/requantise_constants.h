#pragma once

#include <cstdint>
#include <vector>

#include "deploy/base/status.h"
#include "deploy/kernels/simd/output_s8.h"
#include "deploy/run/step.h"

namespace nibble::run {

/// What a QConv or QGemm does to its sums, one entry an output channel; operands as in
/// model/infer_shapes.h. Channels of a group are padded to whole panels of 32.
class RequantiseConstants {
 public:
  /// Reads bias, multiplier, exponent and w_zero of the node (constants), in the model's variant.
  /// `offset`: what the stored codes of the weights lie above the signed ones.
  Status prepare(const PrepareContext& context, int64_t groups, int32_t offset);

  /// Of one group: has the entries of the channels `fold` times in front of the padding.
  void repeat(int64_t fold);

  /// Constants from the first channel of group g on.
  kernels::OutputS8 output(int64_t g) const;
  int32_t weight_zero(int64_t channel) const { return w_zero_[padded(channel)]; }

 private:
  Status read_residual(const PrepareContext& context);
  size_t padded(int64_t channel) const {
    return static_cast<size_t>(channel / n_ * n_padded_ + channel % n_);
  }

  int64_t n_ = 1, n_padded_ = 0;  // channels of one group
  std::vector<int32_t> bias_, w_zero_, m0_, shift_;
  std::vector<float> multiplier_;
  kernels::OutputS8 shared_;
};

}  // namespace nibble::run
