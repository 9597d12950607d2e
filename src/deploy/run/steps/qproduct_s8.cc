#include <algorithm>
#include <bit>

#include "deploy/kernels/choice/table.h"
#include "deploy/run/steps/qproduct.h"

namespace nibble::run {
namespace {

template <class Variant>
const Variant* named(std::span<const Variant> variants, std::string_view name) {
  for (const Variant& v : variants)
    if (v.name == name) return &v;
  return nullptr;
}

/// Asks the table once the shapes are known, then stands for the step that was chosen.
class QProductS8 : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto windows = qproduct_windows(context);
    if (!windows.ok()) return windows.status();
    const kernels::Windows& w = windows.value();
    const std::string_view name =
        kernels::choose_product(context.table, context.isa,
                                {.w_bits = context.inputs[1].info->packed.bits,
                                 .a_bits = HeldCodes::of(context.inputs[0]).bits(),
                                 .rows = w.batch * w.out[0] * w.out[1] * w.out[2],
                                 .k = w.taps() * w.channels,
                                 .n = context.inputs[1].info->packed.n,
                                 .channels = w.groups == 1 ? w.channels : 0,
                                 .winograd = kernels::winograd_fits(w)});
    if (name != chosen_) {
      if (const auto* matmul = named(kernels::matmul_s8_variants(), name))
        step_ = joins_taps(context.inputs[1].info->packed, w) ? make_qproduct_gathered(*matmul)
                                                              : make_qproduct_matmul(*matmul);
      else if (const auto* bits = named(kernels::bitserial_variants(), name))
        step_ = make_qproduct_bits(*bits);
      else if (const auto* tables = named(kernels::lookup_variants(), name))
        step_ = make_qproduct_lookup(*tables);
      else
        step_ = make_qproduct_winograd(*named(kernels::winograd_s8_variants(), name));
      chosen_ = name;
    }
    return step_->prepare(context);
  }
  void run(const RunContext& context) override { step_->run(context); }
  bool makes_copies() const override { return true; }
  std::string_view kernel() const override { return chosen_; }
  double macs() const override { return step_->macs(); }

 private:
  std::string_view chosen_;
  std::unique_ptr<Step> step_;
};

}  // namespace

HeldCodes HeldCodes::of(const Operand& x) {
  if (!x.info->quant) return {};
  return {std::max(x.info->quant->qmin, -128), std::min(x.info->quant->qmax, 127)};
}

int32_t HeldCodes::largest_magnitude() const {
  return std::max({-lo, hi, 1});
}

int HeldCodes::bits() const {
  if (lo >= 0) return std::max(1, static_cast<int>(std::bit_width(static_cast<uint32_t>(hi))));
  const auto magnitude = static_cast<uint32_t>(std::max(-lo - 1, hi));
  return static_cast<int>(std::bit_width(magnitude)) + 1;
}

kernels::MatmulS8 matmul_problem(const PrepareContext& context) {
  const format::PackedRecord& record = context.inputs[1].info->packed;
  return {.bits = record.bits,
          .n = record.n,
          .n_padded = format::padded_n(record),
          .k_padded = format::padded_k(record),
          .a_max = HeldCodes::of(context.inputs[0]).largest_magnitude()};
}

std::unique_ptr<Step> make_qproduct_s8() {
  return std::make_unique<QProductS8>();
}

}  // namespace nibble::run
