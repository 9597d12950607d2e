#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/matmul/row_sums.h"
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
    plan_ = kernels::WindowPlan(w, record_.c_pad);
    row_sums_ = kernels::RowSums(plan_);
    padding_ = static_cast<int8_t>(context.node.attributes.get_int(model::Attr::x_zero, 0));
    problem_ = matmul_problem(context);
    needs_row_sums_ = kernels::needs_row_sums(*variant_, problem_, plan_.rows().count());
    sums_at_ = align_up(static_cast<size_t>(plan_.copy_size()));
    sums_scratch_at_ = sums_at_ + align_up(static_cast<size_t>(row_sums_.size()) * 4);
    workspace_at_ = align_up(sums_scratch_at_ + static_cast<size_t>(row_sums_.scratch_size()) * 4);
    context.scratch_bytes = workspace_at_ + kernels::matmul_s8_workspace(
                                                *variant_, problem_, plan_.rows(), context.threads);
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
    if (needs_row_sums_)
      row_sums_.run(variant_->core->sums, image,
                    reinterpret_cast<int32_t*>(context.scratch + sums_scratch_at_), sums,
                    context.pool);
    const int64_t group_bytes =
        static_cast<int64_t>(format::packed_bytes(record_)) / record_.groups;
    const int64_t rows = plan_.rows().count();
    int8_t* out = context.outputs[0].as<int8_t>();
    for (int64_t g = 0; g < w.groups; ++g) {
      kernels::MatmulS8 problem = problem_;
      problem.b = context.inputs[1].as<const std::byte>() + g * group_bytes;
      problem.output = constants_.output(g);
      problem.output.sum_shift = sum_shift(record_);
      kernels::matmul_s8(*variant_, problem, plan_.rows(),
                         {.a = image + g * record_.c_pad,
                          .row_sums = sums + g * rows,
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
  kernels::WindowPlan plan_;
  kernels::RowSums row_sums_;
  bool needs_row_sums_ = true;
  int8_t padding_ = 0;
  const kernels::MatmulS8Variant* variant_;
  size_t sums_at_ = 0, sums_scratch_at_ = 0, workspace_at_ = 0;
  double macs_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_qproduct_matmul(const kernels::MatmulS8Variant& variant) {
  return std::make_unique<QProductMatmul>(variant);
}

}  // namespace nibble::run
