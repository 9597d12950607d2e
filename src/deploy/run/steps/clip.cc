// Clip: bounds are inputs 1 and 2, each optional, read when the step runs.

#include <limits>
#include <memory>

#include "deploy/kernels/elementwise/typed.h"
#include "deploy/kernels/float/float.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/fused_clip.h"

namespace nibble::run {
namespace {

class ClipStep : public Step {
 public:
  explicit ClipStep(DType dtype) : dtype_(dtype) {}

  Status prepare(PrepareContext& context) override {
    name_ = dtype_ == DType::kF32 ? kernels::float_kernels(context.isa).name : "reference";
    vectors_ = dtype_ == DType::kF32 ? kernels::float_kernels(context.isa)[kernels::Unary::kClip]
                                     : nullptr;
    clip_ = dtype_ == DType::kF32 ? FusedClip(context.node.attributes, context.isa) : FusedClip();
    return {};
  }

  void run(const RunContext& context) override {
    const auto bound = [&](size_t i) -> const void* {
      return i < context.inputs.size() && context.inputs[i].present() ? context.inputs[i].data
                                                                      : nullptr;
    };
    const void *lo = bound(1), *hi = bound(2);
    constexpr float kInf = std::numeric_limits<float>::infinity();
    const kernels::UnaryParams bounds = {
        vectors_ != nullptr && lo != nullptr ? *static_cast<const float*>(lo) : -kInf,
        vectors_ != nullptr && hi != nullptr ? *static_cast<const float*>(hi) : kInf};
    const auto size = static_cast<int64_t>(size_of(dtype_));
    const auto* x = context.inputs[0].as<std::byte>();
    auto* y = context.outputs[0].as<std::byte>();
    context.pool.parallel_for(context.outputs[0].shape.size(), 16384,
                              [&](int64_t begin, int64_t end) {
                                const std::byte* in = x + begin * size;
                                std::byte* out = y + begin * size;
                                if (vectors_ == nullptr) {
                                  kernels::typed_clip(dtype_)(in, lo, hi, out, end - begin);
                                  return;
                                }
                                vectors_(reinterpret_cast<const float*>(in),
                                         reinterpret_cast<float*>(out), end - begin, bounds);
                                clip_.apply(reinterpret_cast<float*>(out), end - begin);
                              });
  }
  std::string_view kernel() const override { return name_; }

 private:
  DType dtype_;
  std::string_view name_ = "reference";
  kernels::UnaryKernel* vectors_ = nullptr;
  FusedClip clip_;
};

}  // namespace

std::unique_ptr<Step> clip_step(const model::Model& model, const model::NodeInfo& node) {
  const DType dtype = model.tensors[static_cast<size_t>(node.inputs[0])].dtype;
  if (kernels::typed_clip(dtype) == nullptr) return nullptr;
  return std::make_unique<ClipStep>(dtype);
}

}  // namespace nibble::run
