// BatchNormalization in its inference form: y = a x + b, a = scale / sqrt(var + epsilon), b = bias
// - mean a, each operation rounded once to binary32.

#include <cmath>
#include <memory>

#include "deploy/kernels/float/float.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/fused_clip.h"

namespace nibble::run {
namespace {

using model::Attr;

class BatchNormalizationStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Shape& x = context.inputs[0].shape;
    const bool last = context.node.attributes.get_int(Attr::channels_last, 0) != 0;
    channels_ = x.rank() == 1 ? 1 : last ? x[x.rank() - 1] : x[1];
    inner_ = x.rank() == 1 ? x[0] : last ? 1 : x.size(2, x.rank());
    epsilon_ = context.node.attributes.get_float(Attr::epsilon, 1e-5f);
    table_ = &kernels::float_kernels(context.isa);
    clip_ = FusedClip(context.node.attributes, context.isa);
    context.scratch_bytes = 2 * align_up(static_cast<size_t>(channels_) * sizeof(float));
    return {};
  }

  void run(const RunContext& context) override {
    float* a = reinterpret_cast<float*>(context.scratch);
    float* b = a + align_up(static_cast<size_t>(channels_) * sizeof(float)) / sizeof(float);
    for (int64_t c = 0; c < channels_; ++c) {
      a[c] =
          context.inputs[1].as<float>()[c] / std::sqrt(context.inputs[4].as<float>()[c] + epsilon_);
      b[c] = context.inputs[2].as<float>()[c] - context.inputs[3].as<float>()[c] * a[c];
    }
    const float* x = context.inputs[0].as<float>();
    float* y = context.outputs[0].as<float>();
    const int64_t size = context.outputs[0].shape.size();
    if (size == 0) return;
    const int64_t row = inner_ == 1 ? channels_ : inner_;
    context.pool.parallel_for(size / row, std::max<int64_t>(1, 16384 / row),
                              [&](int64_t begin, int64_t end) {
                                for (int64_t i = begin; i < end; ++i) {
                                  const float* from = x + i * row;
                                  float* to = y + i * row;
                                  if (inner_ == 1) {
                                    (*table_)[kernels::FloatBinary::kMul](from, 1, a, 1, to, row);
                                    (*table_)[kernels::FloatBinary::kAdd](to, 1, b, 1, to, row);
                                  } else {
                                    (*table_)[kernels::Unary::kAffine](
                                        from, to, row, {a[i % channels_], b[i % channels_]});
                                  }
                                  clip_.apply(to, row);
                                }
                              });
  }
  std::string_view kernel() const override { return table_->name; }

 private:
  int64_t channels_ = 1, inner_ = 1;
  float epsilon_ = 1e-5f;
  const kernels::FloatKernels* table_ = nullptr;
  FusedClip clip_;
};

}  // namespace

std::unique_ptr<Step> batch_normalization_step(const model::Model& model,
                                               const model::NodeInfo& node) {
  for (int input : node.inputs)
    if (model.tensors[static_cast<size_t>(input)].dtype != DType::kF32) return nullptr;
  return std::make_unique<BatchNormalizationStep>();
}

}  // namespace nibble::run
