#include <algorithm>
#include <cstring>

#include "deploy/kernels/depthwise/runs.h"
#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/simd/select.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/conv_f32.h"
#include "deploy/run/steps/conv_windows.h"
#include "deploy/run/steps/fused_clip.h"
#include "deploy/run/steps/packed_b.h"

namespace nibble::run {
namespace {

using kernels::kPanelF32;

/// Conv of binary32: one product a group over the windows of the image.
class ConvF32 : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto windows = conv_windows(context);
    if (!windows.ok()) return windows.status();
    const kernels::Windows& w = windows.value();
    plan_ = kernels::WindowPlan(w, w.channels);
    const Operand& weights = context.inputs[1];
    filters_ = weights.shape[0] / w.groups;
    const int64_t k = w.taps() * w.channels;
    const kernels::MatrixB layout{.data = weights.as<float>(),
                                  .n = filters_,
                                  .taps = 1,
                                  .channels = k,
                                  .channel_stride = 1,
                                  .n_stride = k};
    b_.prepare(layout, w.groups, filters_ * k);
    clip_ = FusedClip(context.node.attributes, context.isa);
    variant_ = &kernels::select(kernels::matmul_f32_variants(), context.isa);

    bias_at_ = align_up(b_.scratch_bytes());
    image_at_ = bias_at_ + align_up(static_cast<size_t>(w.groups * bias_size()) * sizeof(float));
    workspace_at_ = image_at_ + align_up(static_cast<size_t>(plan_.copy_size()) * sizeof(float));
    context.scratch_bytes =
        workspace_at_ + kernels::matmul_f32_workspace(filters_, plan_.rows(), context.threads);
    macs_ =
        static_cast<double>(plan_.rows().count()) * static_cast<double>(w.groups * filters_ * k);
    return {};
  }

  void run(const RunContext& context) override {
    const kernels::Windows& w = plan_.windows();
    const float* b = b_.panels(context.inputs[1].data, context.scratch, context.pool);
    const float* image = context.inputs[0].as<float>();
    if (plan_.copies()) {
      auto* copy = reinterpret_cast<float*>(context.scratch + image_at_);
      plan_.copy(image, 0.0f, copy, context.pool);
      image = copy;
    }
    auto* bias = reinterpret_cast<float*>(context.scratch + bias_at_);
    std::fill(bias, bias + w.groups * bias_size(), 0.0f);
    float* out = context.outputs[0].as<float>();
    for (int64_t g = 0; g < w.groups; ++g) {
      float* group_bias = bias + g * bias_size();
      if (context.inputs.size() > 2 && context.inputs[2].present())
        std::memcpy(group_bias, context.inputs[2].as<float>() + g * filters_,
                    static_cast<size_t>(filters_) * sizeof(float));
      kernels::matmul_f32(*variant_,
                          {.b = b + g * b_.group_size(),
                           .bias = group_bias,
                           .n = filters_,
                           .lo = clip_.min(),
                           .hi = clip_.max()},
                          plan_.rows(),
                          {.a = image + g * w.channels,
                           .out = out + g * filters_,
                           .stride = w.groups * filters_,
                           .workspace = context.scratch + workspace_at_},
                          context.pool);
    }
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override { return macs_; }

 private:
  int64_t bias_size() const { return kernels::panels_f32(filters_) * kPanelF32; }

  kernels::WindowPlan plan_;
  PackedB b_;
  FusedClip clip_;
  const kernels::MatmulF32Variant* variant_ = nullptr;
  int64_t filters_ = 0;  // output channels of one group
  size_t bias_at_ = 0, image_at_ = 0, workspace_at_ = 0;
  double macs_ = 0;
};

bool is_depthwise(const model::TensorInfo& weights, int64_t groups) {
  const Shape& shape = weights.shape;
  if (!weights.is_constant || shape.rank() < 3 || groups < 2) return false;
  return shape[0] == groups && shape[shape.rank() - 1] == 1 &&
         shape.size(1, shape.rank() - 1) <= kernels::kMaxDepthwiseTaps;
}

}  // namespace

std::unique_ptr<Step> make_conv(const model::Model& model, const model::NodeInfo& node) {
  if (model.tensors[static_cast<size_t>(node.inputs[0])].dtype != DType::kF32) return nullptr;
  const model::TensorInfo& weights = model.tensors[static_cast<size_t>(node.inputs[1])];
  if (is_depthwise(weights, node.attributes.get_int(model::Attr::group, 1)))
    return make_depthwise_f32();
  return std::make_unique<ConvF32>();
}

}  // namespace nibble::run
