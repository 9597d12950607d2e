#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "deploy/kernels/depthwise/runs.h"
#include "deploy/kernels/simd/select.h"
#include "deploy/run/steps/conv_f32.h"
#include "deploy/run/steps/conv_windows.h"
#include "deploy/run/steps/fused_clip.h"

namespace nibble::run {
namespace {

/// Conv of binary32 with one constant filter a channel.
class DepthwiseF32Step : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto windows = conv_windows(context);
    if (!windows.ok()) return windows.status();
    windows_ = windows.value();
    const int64_t c = windows_.groups, taps = windows_.taps();
    const int64_t padded = static_cast<int64_t>(
        align_up(static_cast<size_t>(c), static_cast<size_t>(kernels::kDepthwiseBlockF32)));
    fold_ = kernels::depthwise_fold(c, kernels::kDepthwiseBlockF32);
    weights_ = Tensor(DType::kF32, {taps, padded});
    std::ranges::fill(weights_.span<float>(), 0.0f);
    const float* filters = context.inputs[1].as<float>();  // [c][taps]
    for (int64_t t = 0; t < taps; ++t)
      for (int64_t i = 0; i < fold_ * c; ++i)
        weights_.span<float>()[t * padded + i] = filters[i % c * taps + t];
    order_.resize(static_cast<size_t>(taps));
    std::iota(order_.begin(), order_.end(), 0);
    padding_ = Tensor(DType::kF32, {fold_, c});
    std::ranges::fill(padding_.span<float>(), 0.0f);
    clip_ = FusedClip(context.node.attributes, context.isa);
    variant_ = &kernels::select(kernels::depthwise_f32_variants(), context.isa);
    context.scratch_bytes = static_cast<size_t>(padded) * sizeof(float);
    return {};
  }

  void run(const RunContext& context) override {
    auto* bias = reinterpret_cast<float*>(context.scratch);
    std::fill(bias, bias + weights_.shape()[1], 0.0f);
    if (context.inputs.size() > 2 && context.inputs[2].present())
      for (int64_t i = 0; i < fold_; ++i)
        std::memcpy(bias + i * windows_.groups, context.inputs[2].as<float>(),
                    static_cast<size_t>(windows_.groups) * sizeof(float));
    const kernels::DepthwiseF32 problem{.weights = weights_.span<float>().data(),
                                        .bias = bias,
                                        .channels = windows_.groups,
                                        .taps = windows_.taps(),
                                        .lo = clip_.min(),
                                        .hi = clip_.max()};
    kernels::depthwise<kernels::DepthwiseF32, float>(
        variant_->core, problem, fold_, windows_, order_, context.inputs[0].as<float>(),
        padding_.span<float>().data(), context.outputs[0].as<float>(), context.pool);
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override {
    const auto& out = windows_.out;
    return static_cast<double>(windows_.batch * out[0] * out[1] * out[2]) *
           static_cast<double>(windows_.groups * windows_.taps());
  }

 private:
  kernels::Windows windows_;
  Tensor weights_, padding_;    // [taps][padded channels]; pixels of zeros
  std::vector<int32_t> order_;  // of the taps: ascending
  int64_t fold_ = 1;            // pixels that repeat the channels' weights and biases
  FusedClip clip_;
  const kernels::DepthwiseF32Variant* variant_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_depthwise_f32() {
  return std::make_unique<DepthwiseF32Step>();
}

}  // namespace nibble::run
