#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/matmul/row_sums.h"
#include "deploy/kernels/simd/select.h"
#include "deploy/run/steps/qproduct.h"
#include "deploy/run/steps/requantise_constants.h"

namespace nibble::run {
namespace {

class QProductS8 : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto windows = qproduct_windows(context);
    if (!windows.ok()) return windows.status();
    const kernels::Windows& w = windows.value();
    const Operand& weights = context.inputs[1];
    record_ = weights.info->packed;
    NIBBLE_RETURN_IF_ERROR(constants_.prepare(context, w.groups, record_.offset));
    unpack(weights);
    plan_ = kernels::WindowPlan(w, record_.c_pad);
    row_sums_ = kernels::RowSums(plan_);
    padding_ = static_cast<int8_t>(context.node.attributes.get_int(model::Attr::x_zero, 0));
    // The vector cores do not honour sum_shift and binary yet.
    const bool one_bit = sum_shift() != 0 || constants_.output(0).binary;
    variant_ =
        &kernels::select(kernels::matmul_s8_variants(), one_bit ? Isa::kPortable : context.isa);

    sums_at_ = align_up(static_cast<size_t>(plan_.copy_size()));
    sums_scratch_at_ = sums_at_ + align_up(static_cast<size_t>(row_sums_.size()) * 4);
    context.scratch_bytes = sums_scratch_at_ + static_cast<size_t>(row_sums_.scratch_size()) * 4;
    macs_ = static_cast<double>(plan_.rows().count()) *
            static_cast<double>(w.groups * record_.n * w.taps() * w.channels);
    return {};
  }

  void run(const RunContext& context) override {
    const kernels::Windows& w = plan_.windows();
    const int8_t* image = context.inputs[0].as<int8_t>();
    if (plan_.copies()) {
      auto* copy = reinterpret_cast<int8_t*>(context.scratch);
      plan_.copy(image, padding_, copy, context.pool);
      image = copy;
    }
    auto* sums = reinterpret_cast<int32_t*>(context.scratch + sums_at_);
    row_sums_.run(variant_->sums, image,
                  reinterpret_cast<int32_t*>(context.scratch + sums_scratch_at_), sums,
                  context.pool);
    const int64_t k_padded = format::padded_k(record_), rows = plan_.rows().count();
    const int64_t group_bytes = format::round_up(record_.n, kernels::kPanelS8) * k_padded;
    int8_t* out = context.outputs[0].as<int8_t>();
    for (int64_t g = 0; g < w.groups; ++g) {
      kernels::OutputS8 output = constants_.output(g);
      output.sum_shift = sum_shift();
      kernels::matmul_s8(
          *variant_,
          {.b = panels_ + g * group_bytes, .n = record_.n, .k_padded = k_padded, .output = output},
          plan_.rows(), image + g * record_.c_pad, sums + g * rows, out + g * record_.n,
          w.groups * record_.n, context.pool);
    }
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override { return macs_; }

 private:
  /// Binary weights are 2u - 1.
  int32_t sum_shift() const { return record_.spacing == 2 ? 1 : 0; }

  /// The stream where it is in panel order already, else a working copy, made once.
  void unpack(const Operand& weights) {
    const auto* stream = weights.as<const std::byte>();
    if (stream == stream_) return;
    stream_ = stream;
    if (!format::is_panel8(record_)) {
      unpacked_ = Buffer(format::panel8_bytes(record_));
      format::unpack_to_panel8(record_, stream, unpacked_.data());
      stream = unpacked_.data();
    }
    panels_ = reinterpret_cast<const uint8_t*>(stream);
  }

  format::PackedRecord record_;
  RequantiseConstants constants_;
  const std::byte* stream_ = nullptr;
  Buffer unpacked_;
  const uint8_t* panels_ = nullptr;
  kernels::WindowPlan plan_;
  kernels::RowSums row_sums_;
  int8_t padding_ = 0;
  const kernels::MatmulS8Variant* variant_ = nullptr;
  size_t sums_at_ = 0, sums_scratch_at_ = 0;
  double macs_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_qproduct_s8() {
  return std::make_unique<QProductS8>();
}

}  // namespace nibble::run
