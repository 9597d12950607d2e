// QGemmReal: rows of codes by packed weights with scales by channel or block, to reals
// (docs/numerics.md, "Weight-only").

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/simd/select.h"
#include "deploy/numeric/row_blocks.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/fused_clip.h"
#include "deploy/run/steps/qproduct.h"

namespace nibble::run {
namespace {

class QGemmReal : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Operand &x = context.inputs[0], &w = context.inputs[1];
    const format::PackedRecord& r = w.info->packed;
    k_ = w.shape[1];
    m_ = x.shape.size(0, x.shape.rank() - 1);
    if (r.groups != 1 || r.n != w.shape[0] || r.kh * r.kw != 1 || r.c != k_)
      return invalid_argument("expects weights packed as " + to_string(w.shape) + ", found " +
                              std::to_string(r.groups) + " x " + std::to_string(r.n) + "x" +
                              std::to_string(r.kh) + "x" + std::to_string(r.kw) + "x" +
                              std::to_string(r.c));
    p_.bits = r.bits;
    p_.n = r.n;
    p_.k_padded = format::padded_k(r);
    p_.offset = r.offset;
    p_.sum_shift = sum_shift(r);
    const int64_t block = context.node.attributes.get_int(model::Attr::block_size, 0);
    if (!numeric::is_row_block(block))
      return unsupported("a block_size of " + std::to_string(block) + ", expected " +
                         std::string(numeric::kRowBlocks));
    p_.block = std::min(block, p_.k_padded);
    if (p_.block > numeric::kLongestRowBlock)
      return unsupported("blocks of " + std::to_string(p_.block) + ", whose sums exceed 32 bits");
    const FusedClip clip(context.node.attributes, context.isa);
    p_.lo = clip.min();
    p_.hi = clip.max();
    NIBBLE_RETURN_IF_ERROR(prepare_bias(context));
    variant_ = &kernels::select(kernels::matmul_s8_variants(), context.isa);
    sums_at_ = align_up(k_ == p_.k_padded ? 0 : static_cast<size_t>(m_ * p_.k_padded));
    context.scratch_bytes = sums_at_ + static_cast<size_t>(m_ * p_.blocks()) * sizeof(int32_t);
    return {};
  }

  void run(const RunContext& context) override {
    const int8_t* a = context.inputs[0].as<int8_t>();
    if (k_ != p_.k_padded) {
      auto* padded = reinterpret_cast<int8_t*>(context.scratch);
      context.pool.parallel_for(m_, kGrainCodes / p_.k_padded + 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          std::memcpy(padded + i * p_.k_padded, a + i * k_, static_cast<size_t>(k_));
          std::memset(padded + i * p_.k_padded + k_, 0, static_cast<size_t>(p_.k_padded - k_));
        }
      });
      a = padded;
    }
    kernels::MatmulRealS8 p = p_;
    p.b = context.inputs[1].as<const std::byte>();
    p.scales = context.inputs[3].as<float>();
    p.zeros = has(context.inputs, 4) ? context.inputs[4].as<uint8_t>() : nullptr;
    p.bias = bias_.data();
    kernels::matmul_real_s8(*variant_, p, a, context.inputs[2].as<float>(), m_,
                            reinterpret_cast<int32_t*>(context.scratch + sums_at_),
                            context.outputs[0].as<float>(), context.pool);
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override {
    return static_cast<double>(m_) * static_cast<double>(p_.n) * static_cast<double>(k_);
  }

 private:
  static constexpr int64_t kGrainCodes = 64 * 1024;

  static bool has(std::span<const Operand> inputs, size_t i) {
    return i < inputs.size() && inputs[i].present();
  }

  Status prepare_bias(const PrepareContext& context) {
    bias_.assign(static_cast<size_t>(format::round_up(p_.n, kernels::kPanelS8)), 0.0f);
    if (!has(context.inputs, 5)) return {};
    if (context.inputs[5].data == nullptr) return unsupported("a bias that is not constant");
    const float* bias = context.inputs[5].as<float>();
    // A bias of -0 counts as 0: padded blocks then cannot show in the sign of a zero.
    for (int64_t n = 0; n < p_.n; ++n) bias_[n] = bias[n] + 0.0f;
    return {};
  }

  kernels::MatmulRealS8 p_;
  std::vector<float> bias_;
  const kernels::MatmulS8Variant* variant_ = nullptr;
  int64_t m_ = 0, k_ = 0;
  size_t sums_at_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_qgemm_real(const model::Model& model, const model::NodeInfo& node) {
  if (model.phase == model::Phase::kAnnotated) return make_simulated_qgemm_real(model, node);
  const model::TensorInfo& weights = model.tensors[static_cast<size_t>(node.inputs[1])];
  const bool has_scales = node.inputs.size() > 3 && node.inputs[3] != model::kNoTensor;
  if (weights.packed.format == format::FormatId::kPlain || !has_scales) return nullptr;
  return std::make_unique<QGemmReal>();
}

}  // namespace nibble::run
