#include <algorithm>
#include <vector>

#include "deploy/kernels/matmul/row_sums.h"
#include "deploy/kernels/simd/select.h"
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
    pack(record, weights.as<const std::byte>(), k);

    plan_ = kernels::WindowPlan(w, w.channels);
    row_sums_ = kernels::RowSums(plan_);
    sums_ = kernels::select(kernels::matmul_s8_variants(), context.isa).core->sums;
    padding_ = static_cast<int8_t>(context.node.attributes.get_int(model::Attr::x_zero, 0));

    const HeldCodes codes = HeldCodes::of(context.inputs[0]);
    problem_.planes = record.bits;
    problem_.n = record.n;
    problem_.k_padded = kernels::lookup_k_padded(k);
    problem_.a_min = std::min(codes.lo, 0);
    problem_.a_max = std::max(codes.hi, 0);

    sums_at_ = align_up(static_cast<size_t>(plan_.copy_size()));
    sums_scratch_at_ = sums_at_ + align_up(static_cast<size_t>(row_sums_.size()) * 4);
    workspace_at_ = align_up(sums_scratch_at_ + static_cast<size_t>(row_sums_.scratch_size()) * 4);
    context.scratch_bytes =
        workspace_at_ + kernels::lookup_workspace(problem_, plan_.rows(), context.threads);
    macs_ = static_cast<double>(plan_.rows().count()) * static_cast<double>(record.n * k);
    return {};
  }

  void run(const RunContext& context) override {
    const int8_t* image = context.inputs[0].as<int8_t>();
    if (plan_.copies()) {
      auto* copy = reinterpret_cast<int8_t*>(context.scratch);
      plan_.copy(image, padding_, copy, context.pool);
      image = copy;
    }
    auto* sums = reinterpret_cast<int32_t*>(context.scratch + sums_at_);
    row_sums_.run(sums_, image, reinterpret_cast<int32_t*>(context.scratch + sums_scratch_at_),
                  sums, context.pool);
    kernels::Lookup problem = problem_;
    problem.w = reinterpret_cast<const uint8_t*>(weights_.data());
    problem.output = constants_.output(0);
    problem.output.sum_shift = sum_shift_;
    kernels::lookup(*variant_, problem, plan_.rows(),
                    {.a = image,
                     .row_sums = sums,
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
  void pack(const format::PackedRecord& record, const std::byte* stream, int64_t k) {
    if (stream == stream_) return;
    stream_ = stream;
    std::vector<uint8_t> codes(static_cast<size_t>(format::code_count(record)));
    format::unpack_to_rows(record, stream, codes);
    weights_ = Buffer(static_cast<size_t>(kernels::lookup_bytes(record.bits, record.n, k)));
    kernels::pack_lookup(codes.data(), record.bits, record.n, k,
                         reinterpret_cast<uint8_t*>(weights_.data()));
  }

  const kernels::LookupVariant* variant_;
  kernels::Lookup problem_;
  RequantiseConstants constants_;
  const std::byte* stream_ = nullptr;
  Buffer weights_;
  kernels::WindowPlan plan_;
  kernels::RowSums row_sums_;
  kernels::SumsS8Core* sums_ = nullptr;
  int8_t padding_ = 0;
  int32_t sum_shift_ = 0;
  size_t sums_at_ = 0, sums_scratch_at_ = 0, workspace_at_ = 0;
  double macs_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_qproduct_lookup(const kernels::LookupVariant& variant) {
  return std::make_unique<QProductLookup>(variant);
}

}  // namespace nibble::run
