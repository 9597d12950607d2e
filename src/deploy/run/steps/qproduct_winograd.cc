#include <vector>

#include "deploy/run/steps/qproduct.h"
#include "deploy/run/steps/requantise_constants.h"

namespace nibble::run {
namespace {

class QProductWinograd : public Step {
 public:
  explicit QProductWinograd(const kernels::WinogradS8Variant& variant) : variant_(&variant) {}

  Status prepare(PrepareContext& context) override {
    const auto windows = qproduct_windows(context);
    if (!windows.ok()) return windows.status();
    windows_ = windows.value();
    const Operand& weights = context.inputs[1];
    const format::PackedRecord& record = weights.info->packed;
    NIBBLE_RETURN_IF_ERROR(constants_.prepare(context, 1, record.offset));
    pack(weights);
    padding_ = padding_code(context);
    problem_.channels = windows_.channels;
    problem_.n = record.n;
    context.scratch_bytes = kernels::winograd_s8_workspace(problem_, windows_, context.threads);
    return {};
  }

  void run(const RunContext& context) override {
    kernels::WinogradS8 problem = problem_;
    problem.u = reinterpret_cast<const int16_t*>(u_.data());
    problem.output = constants_.output(0);
    kernels::winograd_s8(*variant_, problem, windows_, context.inputs[0].as<int8_t>(), padding_,
                         residual_of(context.inputs), context.outputs[0].as<int8_t>(),
                         context.scratch, context.pool, context.copy);
  }

  std::string_view kernel() const override { return variant_->name; }
  /// Those of the convolution: the transform saves more than half of them.
  double macs() const override {
    const auto& out = windows_.out;
    return static_cast<double>(windows_.batch * out[1] * out[2]) *
           static_cast<double>(problem_.n * windows_.taps() * windows_.channels);
  }

 private:
  /// The transformed weights, made once. Zero points of -128..255 (RequantiseConstants) keep them
  /// within kWinogradMostWeight.
  void pack(const Operand& weights) {
    if (weights.as<const std::byte>() == stream_) return;
    stream_ = weights.as<const std::byte>();
    const format::PackedRecord& record = weights.info->packed;
    const std::vector<uint8_t> codes = unpacked_codes(weights);
    const int64_t k = windows_.taps() * windows_.channels;
    std::vector<int16_t> w(codes.size());
    for (size_t i = 0; i < codes.size(); ++i) {
      w[i] = static_cast<int16_t>(int32_t{record.spacing} * codes[i] -
                                  constants_.weight_zero(static_cast<int64_t>(i) / k));
    }
    u_ = Buffer(static_cast<size_t>(kernels::winograd_s8_weights(record.n, windows_.channels)) * 2);
    kernels::pack_winograd_s8(w.data(), record.n, windows_.channels,
                              reinterpret_cast<int16_t*>(u_.data()));
  }

  const kernels::WinogradS8Variant* variant_;
  kernels::WinogradS8 problem_;
  kernels::Windows windows_;
  RequantiseConstants constants_;
  const std::byte* stream_ = nullptr;
  Buffer u_;
  int8_t padding_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_qproduct_winograd(const kernels::WinogradS8Variant& variant) {
  return std::make_unique<QProductWinograd>(variant);
}

}  // namespace nibble::run
