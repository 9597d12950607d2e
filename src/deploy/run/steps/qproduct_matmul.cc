#include "deploy/kernels/matmul/matmul.h"
#include "deploy/run/steps/image_rows.h"
#include "deploy/run/steps/qproduct.h"
#include "deploy/run/steps/requantise_constants.h"

namespace nibble::run {
namespace {

class QProductMatmul : public Step {
 public:
  explicit QProductMatmul(const kernels::MatmulS8Variant& variant) : variant_(&variant) {}

  Status prepare(PrepareContext& context) override {
    const auto windows = qproduct_windows(context);
    if (!windows.ok()) return windows.status();
    const kernels::Windows& w = windows.value();
    const Operand& weights = context.inputs[1];
    record_ = weights.info->packed;
    NIBBLE_RETURN_IF_ERROR(constants_.prepare(context, w.groups, record_.offset));
    problem_ = matmul_problem(context);
    const kernels::WindowPlan plan(w, record_.c_pad);
    const int64_t rows = plan.rows().count();
    const bool sums = kernels::needs_row_sums(*variant_, problem_, rows);
    rows_ = ImageRows(plan, sums ? variant_->core->sums : nullptr, padding_code(context), context);
    workspace_at_ = take_scratch(context, static_cast<int64_t>(kernels::matmul_s8_workspace(
                                              *variant_, problem_, plan.rows(), context.threads)));
    macs_ = static_cast<double>(rows) *
            static_cast<double>(w.groups * record_.n * w.taps() * w.channels);
    return {};
  }

  void run(const RunContext& context) override {
    const kernels::Windows& w = rows_.plan().windows();
    const ImageRows::View rows = rows_.run(context.inputs[0].as<int8_t>(), context);
    const int64_t group_bytes =
        static_cast<int64_t>(format::packed_bytes(record_)) / record_.groups;
    const kernels::RowPlan& plan = rows_.plan().rows();
    int8_t* out = context.outputs[0].as<int8_t>();
    for (int64_t g = 0; g < w.groups; ++g) {
      kernels::MatmulS8 problem = problem_;
      problem.b = context.inputs[1].as<const std::byte>() + g * group_bytes;
      problem.output = constants_.output(g);
      problem.output.sum_shift = sum_shift(record_);
      kernels::matmul_s8(*variant_, problem, plan,
                         {.a = rows.codes + g * record_.c_pad,
                          .row_sums = rows.sums ? rows.sums + g * plan.count() : nullptr,
                          .out = out + g * record_.n,
                          .stride = w.groups * record_.n,
                          .residual = residual_of(context.inputs),
                          .workspace = context.scratch + workspace_at_,
                          .copy = context.copy},
                         context.pool);
    }
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override { return macs_; }

 private:
  format::PackedRecord record_;
  RequantiseConstants constants_;
  kernels::MatmulS8 problem_;
  ImageRows rows_;
  const kernels::MatmulS8Variant* variant_;
  size_t workspace_at_ = 0;
  double macs_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_qproduct_matmul(const kernels::MatmulS8Variant& variant) {
  return std::make_unique<QProductMatmul>(variant);
}

}  // namespace nibble::run
