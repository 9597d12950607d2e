#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/matmul/window.h"
#include "deploy/kernels/simd/select.h"
#include "deploy/model/window.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/fused_clip.h"
#include "deploy/run/steps/packed_b.h"

namespace nibble::run {
namespace {

/// ConvTranspose of binary32, x [N, spatial..., C], filters [C, spatial..., O / group]: the
/// convolution, at stride 1 and with its taps in reverse, of the image with stride - 1 zeros
/// between its pixels. Sums run over (taps from the last to the first, channel) from the bias.
class ConvTransposeF32 : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto& attributes = context.node.attributes;
    const Shape &x = context.inputs[0].shape, &f = context.inputs[1].shape;
    const int axes = x.rank() - 2;
    if (attributes.get_int(model::Attr::channels_last, 0) == 0)
      return unsupported("expects channels_last data");
    if (axes < 1 || axes > 3 || f.rank() != x.rank())
      return unsupported("expects 1 to 3 spatial axes, found " + to_string(x) + " and " +
                         to_string(f));
    kernels::Windows w;
    w.batch = x[0];
    w.groups = attributes.get_int(model::Attr::group, 1);
    filters_ = f[axes + 1];
    if (w.groups < 1 || x[axes + 1] != f[0] || f[0] % w.groups != 0)
      return invalid_argument("expects channels that fit " + std::to_string(w.groups) +
                              " groups, found " + to_string(x) + " and " + to_string(f));
    w.channels = f[0] / w.groups;
    const auto count = static_cast<size_t>(axes);
    const auto resolved = model::resolve_windows(
        context.node.op, attributes, x.dims().subspan(1, count), f.dims().subspan(1, count));
    if (!resolved.ok()) return resolved.status();
    in_ = stride_ = {1, 1, 1};
    shift_ = {0, 0, 0};
    for (size_t i = 0; i < count; ++i) {
      const model::Window& from = resolved.value()[i];
      const size_t axis = 3 - count + i;
      const int64_t reach = (from.kernel - 1) * from.dilation;
      in_[axis] = from.input;
      stride_[axis] = from.stride;
      shift_[axis] = reach - from.pad_begin;
      w.kernel[axis] = from.kernel;
      w.dilation[axis] = from.dilation;
      w.out[axis] = from.output;
      w.in[axis] = from.output + reach;  // just what the windows see
    }
    plan_ = kernels::WindowPlan(w, w.channels);

    const int64_t taps = w.taps();
    const float* last_tap = context.inputs[1].as<float>();
    if (last_tap) last_tap += (taps - 1) * filters_;
    b_.prepare({.data = last_tap,
                .n = filters_,
                .taps = taps,
                .channels = w.channels,
                .tap_stride = -filters_,
                .channel_stride = taps * filters_,
                .n_stride = 1},
               w.groups, w.channels * taps * filters_);
    clip_ = FusedClip(attributes, context.isa);
    variant_ = &kernels::select(kernels::matmul_f32_variants(), context.isa);
    bias_at_ = align_up(b_.scratch_bytes());
    image_at_ = bias_at_ + align_up(static_cast<size_t>(w.groups * bias_size()) * sizeof(float));
    workspace_at_ = image_at_ + align_up(static_cast<size_t>(image_size()) * sizeof(float));
    context.scratch_bytes =
        workspace_at_ + kernels::matmul_f32_workspace(filters_, plan_.rows(), context.threads);
    return {};
  }

  void run(const RunContext& context) override {
    const kernels::Windows& w = plan_.windows();
    const float* filters = context.inputs[1].as<float>() + (w.taps() - 1) * filters_;
    const float* b = b_.panels(filters, context.scratch, context.pool);
    auto* image = reinterpret_cast<float*>(context.scratch + image_at_);
    stretch(context.inputs[0].as<float>(), image);
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
  double macs() const override {
    const kernels::Windows& w = plan_.windows();
    return static_cast<double>(w.batch * in_[0] * in_[1] * in_[2]) *
           static_cast<double>(w.groups * w.channels * filters_ * w.taps());
  }

 private:
  int64_t bias_size() const { return kernels::panels_f32(filters_) * kernels::kPanelF32; }
  int64_t image_size() const { return plan_.pixels() * plan_.rows().pixel; }

  /// Pixel i of an axis goes to i stride + shift; the others are zero.
  void stretch(const float* from, float* image) const {
    const kernels::Windows& w = plan_.windows();
    const int64_t pixel = plan_.rows().pixel;
    std::fill(image, image + image_size(), 0.0f);
    const auto outside = [&](size_t axis, int64_t at) { return at < 0 || at >= w.in[axis]; };
    for (int64_t b = 0; b < w.batch; ++b)
      for (int64_t i0 = 0; i0 < in_[0]; ++i0)
        for (int64_t i1 = 0; i1 < in_[1]; ++i1)
          for (int64_t i2 = 0; i2 < in_[2]; ++i2, from += pixel) {
            const int64_t x0 = i0 * stride_[0] + shift_[0], x1 = i1 * stride_[1] + shift_[1];
            const int64_t x2 = i2 * stride_[2] + shift_[2];
            if (outside(0, x0) || outside(1, x1) || outside(2, x2)) continue;
            float* to = image + (((b * w.in[0] + x0) * w.in[1] + x1) * w.in[2] + x2) * pixel;
            std::memcpy(to, from, static_cast<size_t>(pixel) * sizeof(float));
          }
  }

  std::array<int64_t, 3> in_{}, stride_{}, shift_{};
  kernels::WindowPlan plan_;
  PackedB b_;
  FusedClip clip_;
  const kernels::MatmulF32Variant* variant_ = nullptr;
  int64_t filters_ = 0;  // output channels of one group
  size_t bias_at_ = 0, image_at_ = 0, workspace_at_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_conv_transpose(const model::Model& model, const model::NodeInfo& node) {
  if (model.tensors[static_cast<size_t>(node.inputs[0])].dtype != DType::kF32) return nullptr;
  return std::make_unique<ConvTransposeF32>();
}

}  // namespace nibble::run
