// InstanceNormalization: every channel of every sample by its own mean and variance over space
// (binary64, ascending): y = a x + b, a = scale / sqrt(var + epsilon), b = bias - mean a; a and b
// rounded to binary32, then two rounded operations.

#include <cmath>
#include <memory>

#include "deploy/kernels/float/float.h"
#include "deploy/kernels/reduce/moments.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/fused_clip.h"

namespace nibble::run {
namespace {

using kernels::FloatBinary;
using model::Attr;

class InstanceNormalizationStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Shape& x = context.inputs[0].shape;
    last_ = context.node.attributes.get_int(Attr::channels_last, 0) != 0;
    batch_ = x[0];
    channels_ = last_ ? x[x.rank() - 1] : x[1];
    space_ = last_ ? x.size(1, x.rank() - 1) : x.size(2, x.rank());
    epsilon_ = context.node.attributes.get_float(Attr::epsilon, 1e-5f);
    table_ = &kernels::float_kernels(context.isa);
    clip_ = FusedClip(context.node.attributes, context.isa);
    context.scratch_bytes = static_cast<size_t>(2 * batch_ * channels_) * sizeof(float);
    return {};
  }

  void run(const RunContext& context) override {
    if (space_ * channels_ == 0) return;
    const float* x = context.inputs[0].as<float>();
    float* y = context.outputs[0].as<float>();
    float* a = reinterpret_cast<float*>(context.scratch);
    float* b = a + batch_ * channels_;
    const int64_t image = channels_ * space_;
    context.pool.parallel_for(
        batch_ * channels_, std::max<int64_t>(1, 4096 / space_), [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            const int64_t n = i / channels_, c = i % channels_;
            const float* from = x + n * image + (last_ ? c : c * space_);
            const kernels::Moments m = kernels::moments(from, space_, last_ ? channels_ : 1);
            const double factor =
                context.inputs[1].as<float>()[c] / std::sqrt(m.variance + epsilon_);
            a[i] = static_cast<float>(factor);
            b[i] = static_cast<float>(context.inputs[2].as<float>()[c] - m.mean * factor);
            if (last_) continue;
            float* out = y + i * space_;
            (*table_)[kernels::Unary::kAffine](from, out, space_, {a[i], b[i]});
            clip_.apply(out, space_);
          }
        });
    if (!last_) return;
    context.pool.parallel_for(
        batch_ * space_, std::max<int64_t>(1, 4096 / channels_), [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            const int64_t n = i / space_ * channels_;
            float* out = y + i * channels_;
            (*table_)[FloatBinary::kMul](x + i * channels_, 1, a + n, 1, out, channels_);
            (*table_)[FloatBinary::kAdd](out, 1, b + n, 1, out, channels_);
            clip_.apply(out, channels_);
          }
        });
  }
  std::string_view kernel() const override { return table_->name; }

 private:
  bool last_ = false;
  int64_t batch_ = 1, channels_ = 1, space_ = 1;
  float epsilon_ = 1e-5f;
  const kernels::FloatKernels* table_ = nullptr;
  FusedClip clip_;
};

}  // namespace

std::unique_ptr<Step> instance_normalization_step(const model::Model& model,
                                                  const model::NodeInfo& node) {
  for (int input : node.inputs)
    if (model.tensors[static_cast<size_t>(input)].dtype != DType::kF32) return nullptr;
  return std::make_unique<InstanceNormalizationStep>();
}

}  // namespace nibble::run
