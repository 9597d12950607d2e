#include <algorithm>
#include <optional>
#include <type_traits>

#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/simd/select.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/fused_clip.h"
#include "deploy/run/steps/matmul_shape.h"
#include "deploy/run/steps/packed_b.h"

namespace nibble::run {
namespace {

/// MatMul of binary32.
class MatmulF32Step : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Operand &a = context.inputs[0], &b = context.inputs[1];
    shape_.emplace(a.shape, b.shape);
    const auto& [m, n, k, products] = *shape_;
    b_.prepare({.data = b.as<float>(), .n = n, .channels = k, .channel_stride = n, .n_stride = 1},
               shape_->b_matrices(), k * n);
    plan_ = kernels::RowPlan::matrix(m, k, k);
    clip_ = FusedClip(context.node.attributes, context.isa);
    variant_ = &kernels::select(kernels::matmul_f32_variants(), context.isa);
    zeros_ = Buffer(static_cast<size_t>(kernels::packed_f32(n, 1)) * sizeof(float));
    std::fill(zeros_.data(), zeros_.data() + zeros_.size(), std::byte{0});
    workspace_at_ = align_up(b_.scratch_bytes());
    context.scratch_bytes =
        workspace_at_ + kernels::matmul_f32_workspace(n, plan_, context.threads);
    return {};
  }

  void run(const RunContext& context) override {
    const auto& [m, n, k, products] = *shape_;
    const float* b = b_.panels(context.inputs[1].data, context.scratch, context.pool);
    const float* a = context.inputs[0].as<float>();
    float* y = context.outputs[0].as<float>();
    for (const MatmulShape::Product& p : products) {
      kernels::matmul_f32(*variant_,
                          {.b = b + p.b * b_.group_size(),
                           .bias = reinterpret_cast<const float*>(zeros_.data()),
                           .n = n,
                           .lo = clip_.min(),
                           .hi = clip_.max()},
                          plan_,
                          {.a = a + p.a * m * k,
                           .out = y,
                           .stride = n,
                           .workspace = context.scratch + workspace_at_},
                          context.pool);
      y += m * n;
    }
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override {
    return static_cast<double>(shape_->products.size()) * static_cast<double>(shape_->m) *
           static_cast<double>(shape_->n) * static_cast<double>(shape_->k);
  }

 private:
  std::optional<MatmulShape> shape_;
  kernels::RowPlan plan_;
  PackedB b_;
  Buffer zeros_;  // the bias
  FusedClip clip_;
  const kernels::MatmulF32Variant* variant_ = nullptr;
  size_t workspace_at_ = 0;
};

/// MatMul of the other element types; integers wrap around.
template <class T>
class MatmulStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    shape_.emplace(context.inputs[0].shape, context.inputs[1].shape);
    return {};
  }

  void run(const RunContext& context) override {
    using Sum = typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>,
                                            std::type_identity<T>>::type;
    const auto& [m, n, k, products] = *shape_;
    const T *a = context.inputs[0].as<T>(), *b = context.inputs[1].as<T>();
    T* y = context.outputs[0].as<T>();
    for (const MatmulShape::Product& p : products) {
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          Sum sum = 0;
          for (int64_t t = 0; t < k; ++t)
            sum += static_cast<Sum>(a[(p.a * m + i) * k + t]) *
                   static_cast<Sum>(b[(p.b * k + t) * n + j]);
          *y++ = static_cast<T>(sum);
        }
      }
    }
  }

 private:
  std::optional<MatmulShape> shape_;
};

}  // namespace

std::unique_ptr<Step> make_matmul(const model::Model& model, const model::NodeInfo& node) {
  switch (model.tensors[static_cast<size_t>(node.inputs[0])].dtype) {
    case DType::kF32:
      return std::make_unique<MatmulF32Step>();
    case DType::kF64:
      return std::make_unique<MatmulStep<double>>();
    case DType::kI32:
      return std::make_unique<MatmulStep<int32_t>>();
    case DType::kU32:
      return std::make_unique<MatmulStep<uint32_t>>();
    case DType::kI64:
      return std::make_unique<MatmulStep<int64_t>>();
    case DType::kU64:
      return std::make_unique<MatmulStep<uint64_t>>();
    default:
      return nullptr;
  }
}

}  // namespace nibble::run
