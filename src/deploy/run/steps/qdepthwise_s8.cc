#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "deploy/kernels/depthwise/runs.h"
#include "deploy/kernels/simd/select.h"
#include "deploy/run/steps/qproduct.h"
#include "deploy/run/steps/requantise_constants.h"

namespace nibble::run {
namespace {

class QDepthwiseS8 : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto windows = qproduct_windows(context);
    if (!windows.ok()) return windows.status();
    windows_ = windows.value();
    plan_ = kernels::WindowPlan(windows_, 1);
    copies_ = plan_.copies() && plan_.copy_size() <= kCopiedBytes &&
              windows_.stride == std::array<int64_t, 3>{1, 1, 1};
    if (copies_) {
      context.scratch_bytes = static_cast<size_t>(plan_.copy_size());
      windows_.in = plan_.rows().size;
      windows_.pad = {0, 0, 0};
    }
    const Operand& operand = context.inputs[1];
    const format::PackedRecord& record = operand.info->packed;
    // All channels as one group: constants lie dense.
    NIBBLE_RETURN_IF_ERROR(constants_.prepare(context, 1, record.offset));
    fold_ = kernels::depthwise_fold(windows_.groups, kernels::kDepthwiseBlockS8);
    constants_.repeat(fold_);
    order_.resize(static_cast<size_t>((windows_.taps() + 1) / 2 * 2));
    kernels::depthwise_s8_order(windows_.kernel[0] * windows_.kernel[1], windows_.kernel[2],
                                kernels::depthwise_axis(windows_, fold_), order_.data());
    NIBBLE_RETURN_IF_ERROR(unpack(operand));
    padding_.assign(static_cast<size_t>(fold_ * windows_.groups), padding_code(context));
    variant_ = &kernels::select(kernels::depthwise_s8_variants(), context.isa);
    return {};
  }

  void run(const RunContext& context) override {
    const kernels::DepthwiseS8 problem{.weights = weights_.span<int16_t>().data(),
                                       .channels = windows_.groups,
                                       .pairs = pairs(),
                                       .output = constants_.output(0)};
    const int8_t* image = context.inputs[0].as<int8_t>();
    if (copies_) {
      auto* copy = reinterpret_cast<int8_t*>(context.scratch);
      plan_.copy(image, padding_.front(), copy, context.pool);
      image = copy;
    }
    kernels::depthwise<kernels::DepthwiseS8, int8_t>(variant_->core, problem, fold_, windows_,
                                                     order_, image, padding_.data(),
                                                     context.outputs[0].as<int8_t>(), context.pool);
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override {
    const auto& out = windows_.out;
    return static_cast<double>(windows_.batch * out[0] * out[1] * out[2]) *
           static_cast<double>(windows_.groups * windows_.taps());
  }

 private:
  int64_t pairs() const { return static_cast<int64_t>(order_.size() / 2); }

  Status unpack(const Operand& operand) {
    const format::PackedRecord& record = operand.info->packed;
    const int64_t channels = windows_.groups, taps = windows_.taps();
    const std::vector<uint8_t> codes = unpacked_codes(operand);
    const int64_t blocks = (channels + kernels::kDepthwiseBlockS8 - 1) / kernels::kDepthwiseBlockS8;
    weights_ = Tensor(DType::kI16, {blocks * pairs() * kernels::kDepthwisePairS8});
    std::ranges::fill(weights_.span<int16_t>(), int16_t{0});
    // Where each tap's weight belongs: its first place in the order.
    std::vector<int64_t> place(static_cast<size_t>(taps));
    for (size_t i = order_.size(); i-- > 0;)
      place[static_cast<size_t>(order_[i])] = static_cast<int64_t>(i);
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t w = int64_t{record.spacing} * codes[static_cast<size_t>(c * taps + t)] -
                          constants_.weight_zero(c);
        if (w < -32767 || w > 32767)
          return invalid_argument("expects a w_zero of an 8-bit grid, found " +
                                  std::to_string(constants_.weight_zero(c) - record.offset) +
                                  " for channel " + std::to_string(c));
        for (int64_t i = c; i < fold_ * channels; i += channels)
          weights_.span<int16_t>()[kernels::depthwise_s8_offset(pairs(), i, place[t])] =
              static_cast<int16_t>(w);
      }
    }
    return {};
  }

  /// At stride 1 images up to this size are copied into one with a border: windows at the border
  /// are then like others. Of larger ones the border is a small part.
  static constexpr int64_t kCopiedBytes = 96 * 1024;

  kernels::WindowPlan plan_;
  bool copies_ = false;
  kernels::Windows windows_;  // over the copy, if there is one
  RequantiseConstants constants_;
  std::vector<int32_t> order_;   // of the taps
  Tensor weights_;               // in the order of DepthwiseS8
  std::vector<int8_t> padding_;  // pixels of x_zero
  int64_t fold_ = 1;             // pixels that repeat the channels' constants
  const kernels::DepthwiseS8Variant* variant_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_qdepthwise_s8() {
  return std::make_unique<QDepthwiseS8>();
}

}  // namespace nibble::run
