#include <algorithm>
#include <vector>

#include "deploy/kernels/simd/select.h"
#include "deploy/run/steps/image_rows.h"
#include "deploy/run/steps/qproduct.h"
#include "deploy/run/steps/requantise_constants.h"

namespace nibble::run {
namespace {

class QProductLookup : public Step {
 public:
  explicit QProductLookup(const kernels::LookupVariant& variant) : variant_(&variant) {}

  Status prepare(PrepareContext& context) override {
    const auto windows = qproduct_windows(context);
    if (!windows.ok()) return windows.status();
    const kernels::Windows& w = windows.value();
    const Operand& weights = context.inputs[1];
    const format::PackedRecord& record = weights.info->packed;
    const int64_t k = w.taps() * w.channels;
    NIBBLE_RETURN_IF_ERROR(constants_.prepare(context, 1, record.offset));
    sum_shift_ = sum_shift(record);
    pack(weights, k);
    rows_ = ImageRows(kernels::WindowPlan(w, w.channels),
                      kernels::select(kernels::matmul_s8_variants(), context.isa).core->sums,
                      padding_code(context), context);

    const HeldCodes codes = HeldCodes::of(context.inputs[0]);
    problem_.planes = record.bits;
    problem_.n = record.n;
    problem_.k_padded = kernels::lookup_k_padded(k);
    problem_.a_min = std::min(codes.lo, 0);
    problem_.a_max = std::max(codes.hi, 0);

    const kernels::RowPlan& plan = rows_.plan().rows();
    workspace_at_ = take_scratch(
        context, static_cast<int64_t>(kernels::lookup_workspace(problem_, plan, context.threads)));
    macs_ = static_cast<double>(plan.count()) * static_cast<double>(record.n * k);
    return {};
  }

  void run(const RunContext& context) override {
    const ImageRows::View rows = rows_.run(context.inputs[0].as<int8_t>(), context);
    kernels::Lookup problem = problem_;
    problem.w = reinterpret_cast<const uint8_t*>(weights_.data());
    problem.output = constants_.output(0);
    problem.output.sum_shift = sum_shift_;
    kernels::lookup(*variant_, problem, rows_.plan().rows(),
                    {.a = rows.codes,
                     .row_sums = rows.sums,
                     .out = context.outputs[0].as<int8_t>(),
                     .residual = residual_of(context.inputs),
                     .stride = problem.n,
                     .workspace = context.scratch + workspace_at_,
                     .copy = context.copy},
                    context.pool);
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override { return macs_; }

 private:
  /// The working copy of the weights, made once.
  void pack(const Operand& weights, int64_t k) {
    if (weights.as<const std::byte>() == stream_) return;
    stream_ = weights.as<const std::byte>();
    const format::PackedRecord& record = weights.info->packed;
    weights_ = Buffer(static_cast<size_t>(kernels::lookup_bytes(record.bits, record.n, k)));
    kernels::pack_lookup(unpacked_codes(weights).data(), record.bits, record.n, k,
                         reinterpret_cast<uint8_t*>(weights_.data()));
  }

  const kernels::LookupVariant* variant_;
  kernels::Lookup problem_;
  RequantiseConstants constants_;
  const std::byte* stream_ = nullptr;
  Buffer weights_;
  ImageRows rows_;
  int32_t sum_shift_ = 0;
  size_t workspace_at_ = 0;
  double macs_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_qproduct_lookup(const kernels::LookupVariant& variant) {
  return std::make_unique<QProductLookup>(variant);
}

}  // namespace nibble::run
