#include <algorithm>

#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/simd/select.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/fused_clip.h"
#include "deploy/run/steps/packed_b.h"

namespace nibble::run {
namespace {

/// Gemm of binary32. With alpha = 1 and a C that is the same for all rows the sums start at beta C;
/// otherwise y = alpha * sum + beta * c, each operation rounded, sums from 0.
class GemmF32 : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto& attributes = context.node.attributes;
    const Operand &a = context.inputs[0], &b = context.inputs[1];
    const bool b_transposed = attributes.get_int(model::Attr::transB, 0) != 0;
    a_transposed_ = attributes.get_int(model::Attr::transA, 0) != 0;
    alpha_ = attributes.get_float(model::Attr::alpha, 1.0f);
    beta_ = attributes.get_float(model::Attr::beta, 1.0f);
    clip_ = FusedClip(attributes, context.isa);
    m_ = a.shape[a_transposed_ ? 1 : 0];
    k_ = a.shape[a_transposed_ ? 0 : 1];
    n_ = b.shape[b_transposed ? 0 : 1];
    b_.prepare({.data = b.as<float>(),
                .n = n_,
                .channels = k_,
                .channel_stride = b_transposed ? 1 : n_,
                .n_stride = b_transposed ? k_ : 1},
               1, 0);
    has_c_ = context.inputs.size() > 2 && context.inputs[2].present();
    c_row_ = c_column_ = 0;
    if (has_c_) {
      const Shape& c = context.inputs[2].shape;
      if (c.rank() > 0 && c[c.rank() - 1] != 1) c_column_ = 1;
      if (c.rank() > 1 && c[0] != 1) c_row_ = c[1];
    }
    fused_ = alpha_ == 1.0f && c_row_ == 0;
    variant_ = &kernels::select(kernels::matmul_f32_variants(), context.isa);
    plan_ = kernels::RowPlan::matrix(m_, k_, k_);
    bias_at_ = align_up(b_.scratch_bytes());
    a_at_ = bias_at_ + align_up(static_cast<size_t>(bias_size()) * sizeof(float));
    workspace_at_ =
        a_at_ + align_up(a_transposed_ ? static_cast<size_t>(m_ * k_) * sizeof(float) : 0);
    context.scratch_bytes =
        workspace_at_ + kernels::matmul_f32_workspace(n_, plan_, context.threads);
    return {};
  }

  void run(const RunContext& context) override {
    const float* b = b_.panels(context.inputs[1].data, context.scratch, context.pool);
    const float* a = context.inputs[0].as<float>();
    if (a_transposed_) {
      auto* rows = reinterpret_cast<float*>(context.scratch + a_at_);
      for (int64_t k = 0; k < k_; ++k)
        for (int64_t m = 0; m < m_; ++m) rows[m * k_ + k] = a[k * m_ + m];
      a = rows;
    }
    const float* c = has_c_ ? context.inputs[2].as<float>() : nullptr;
    auto* bias = reinterpret_cast<float*>(context.scratch + bias_at_);
    std::fill(bias, bias + bias_size(), 0.0f);
    if (fused_ && has_c_)
      for (int64_t n = 0; n < n_; ++n) bias[n] = beta_ * c[n * c_column_];
    const FusedClip clip = fused_ ? clip_ : FusedClip();
    float* y = context.outputs[0].as<float>();
    kernels::matmul_f32(
        *variant_, {.b = b, .bias = bias, .n = n_, .lo = clip.min(), .hi = clip.max()}, plan_,
        {.a = a, .out = y, .stride = n_, .workspace = context.scratch + workspace_at_},
        context.pool);
    if (!fused_) scale_and_add(c, y);
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override {
    return static_cast<double>(m_) * static_cast<double>(n_) * static_cast<double>(k_);
  }

 private:
  int64_t bias_size() const { return kernels::panels_f32(n_) * kernels::kPanelF32; }

  void scale_and_add(const float* c, float* y) const {
    for (int64_t m = 0; m < m_; ++m) {
      for (int64_t n = 0; n < n_; ++n) {
        const float product = alpha_ * y[m * n_ + n];
        const float sum = has_c_ ? product + beta_ * c[m * c_row_ + n * c_column_] : product;
        y[m * n_ + n] = sum;
      }
      clip_.apply(y + m * n_, n_);
    }
  }

  kernels::RowPlan plan_;
  PackedB b_;
  FusedClip clip_;
  const kernels::MatmulF32Variant* variant_ = nullptr;
  int64_t m_ = 0, n_ = 0, k_ = 0;
  bool a_transposed_ = false, has_c_ = false, fused_ = true;
  float alpha_ = 1, beta_ = 1;
  int64_t c_row_ = 0, c_column_ = 0;  // strides of C, 0 where it is broadcast
  size_t bias_at_ = 0, a_at_ = 0, workspace_at_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_gemm(const model::Model& model, const model::NodeInfo& node) {
  if (model.tensors[static_cast<size_t>(node.inputs[0])].dtype != DType::kF32) return nullptr;
  return std::make_unique<GemmF32>();
}

}  // namespace nibble::run
