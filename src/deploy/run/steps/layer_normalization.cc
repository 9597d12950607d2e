// LayerNormalization over the axes from `axis` on:
//   mean = sum x / n, var = sum (x - mean)^2 / n     binary64, ascending
//   y = (x - mean) * (1 / sqrt(var + epsilon)) * scale + bias     binary32, each operation rounded
// Outputs 1 and 2, where wanted, are the mean and the inverse deviation.

#include <cmath>
#include <memory>

#include "deploy/kernels/float/float.h"
#include "deploy/kernels/reduce/moments.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/broadcast.h"
#include "deploy/run/steps/fused_clip.h"

namespace nibble::run {
namespace {

using kernels::FloatBinary;
using model::Attr;

class LayerNormalizationStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Shape& x = context.inputs[0].shape;
    const int axis = normalize_axis(context.node.attributes.get_int(Attr::axis, -1), x.rank());
    rows_ = x.size(0, axis);
    width_ = x.size(axis, x.rank());
    epsilon_ = context.node.attributes.get_float(Attr::epsilon, 1e-5f);
    table_ = &kernels::float_kernels(context.isa);
    clip_ = FusedClip(context.node.attributes, context.isa);
    // Scale and bias may be narrower than a row: then they are stretched into scratch.
    const Shape row(x.dims().subspan(static_cast<size_t>(axis)));
    context.scratch_bytes = 0;
    for (size_t i = 1; i < context.inputs.size(); ++i) {
      stretched_[i - 1] = context.inputs[i].present() && context.inputs[i].shape.size() != width_;
      if (!stretched_[i - 1]) continue;
      const Shape shapes[] = {context.inputs[i].shape, Shape{}};
      plans_[i - 1] = Broadcast(row, shapes);
      context.scratch_bytes += align_up(static_cast<size_t>(width_) * sizeof(float));
    }
    return {};
  }

  void run(const RunContext& context) override {
    if (width_ == 0) return;
    std::byte* scratch = context.scratch;
    const float* scale = affine(context, 1, scratch);
    const float* bias = affine(context, 2, scratch);
    const auto statistic = [&](size_t i) {
      return i < context.outputs.size() && context.outputs[i].present()
                 ? context.outputs[i].as<float>()
                 : nullptr;
    };
    float *means = statistic(1), *deviations = statistic(2);
    const float* x = context.inputs[0].as<float>();
    float* y = context.outputs[0].as<float>();
    context.pool.parallel_for(
        rows_, std::max<int64_t>(1, 4096 / width_), [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            const kernels::Moments m = kernels::moments(x + i * width_, width_);
            const float mean = static_cast<float>(m.mean),
                        inverse = static_cast<float>(1.0 / std::sqrt(m.variance + epsilon_));
            if (means != nullptr) means[i] = mean;
            if (deviations != nullptr) deviations[i] = inverse;
            float* out = y + i * width_;
            (*table_)[FloatBinary::kSub](x + i * width_, 1, &mean, 0, out, width_);
            (*table_)[FloatBinary::kMul](out, 1, &inverse, 0, out, width_);
            (*table_)[FloatBinary::kMul](out, 1, scale, 1, out, width_);
            if (bias != nullptr) (*table_)[FloatBinary::kAdd](out, 1, bias, 1, out, width_);
            clip_.apply(out, width_);
          }
        });
  }
  std::string_view kernel() const override { return table_->name; }

 private:
  /// Input i as a whole row, or null where it is absent.
  const float* affine(const RunContext& context, size_t i, std::byte*& scratch) const {
    if (i >= context.inputs.size() || !context.inputs[i].present()) return nullptr;
    const float* from = context.inputs[i].as<float>();
    if (!stretched_[i - 1]) return from;
    float* row = reinterpret_cast<float*>(scratch);
    scratch += align_up(static_cast<size_t>(width_) * sizeof(float));
    const Broadcast& plan = plans_[i - 1];
    plan.run(context.pool, [&](int64_t at, const Broadcast::Offsets& offsets, int64_t n) {
      for (int64_t k = 0; k < n; ++k) row[at + k] = from[offsets[0] + k * plan.step(0)];
    });
    return row;
  }

  int64_t rows_ = 1, width_ = 1;
  float epsilon_ = 1e-5f;
  bool stretched_[2] = {};
  Broadcast plans_[2];
  const kernels::FloatKernels* table_ = nullptr;
  FusedClip clip_;
};

}  // namespace

std::unique_ptr<Step> layer_normalization_step(const model::Model& model,
                                               const model::NodeInfo& node) {
  for (int input : node.inputs)
    if (input != model::kNoTensor && model.tensors[static_cast<size_t>(input)].dtype != DType::kF32)
      return nullptr;
  return std::make_unique<LayerNormalizationStep>();
}

}  // namespace nibble::run
