#include <algorithm>
#include <array>

#include "deploy/kernels/matmul/gather.h"
#include "deploy/kernels/matmul/matmul.h"
#include "deploy/run/steps/qproduct.h"
#include "deploy/run/steps/requantise_constants.h"

namespace nibble::run {
namespace {

/// Lines of the image are gathered and multiplied a block at a time, so that what they take does
/// not grow with the image.
class QProductGathered : public Step {
 public:
  explicit QProductGathered(const kernels::MatmulS8Variant& variant) : variant_(&variant) {}

  Status prepare(PrepareContext& context) override {
    const auto windows = qproduct_windows(context);
    if (!windows.ok()) return windows.status();
    const kernels::Windows& w = windows.value();
    record_ = context.inputs[1].info->packed;
    NIBBLE_RETURN_IF_ERROR(constants_.prepare(context, 1, record_.offset));
    gather_ = kernels::GatherRows(w, record_.c_pad);
    padding_ = padding_code(context);
    problem_ = matmul_problem(context);
    const int64_t lines = gather_.lines(), k = gather_.row_bytes();
    block_ = gather_.lines_in(kBlockBytes);
    size_t workspace = 0;
    for (size_t last : {0, 1}) {
      const int64_t rest = lines % block_, count = last && rest > 0 ? rest : block_;
      plans_[last] = kernels::RowPlan::matrix(count * gather_.rows_of_a_line(), k, k);
      workspace = std::max(workspace, kernels::matmul_s8_workspace(*variant_, problem_,
                                                                   plans_[last], context.threads));
    }
    const auto rows = static_cast<size_t>(plans_[0].count());
    sums_at_ = align_up(rows * static_cast<size_t>(k));
    workspace_at_ = sums_at_ + align_up(rows * sizeof(int32_t));
    context.scratch_bytes = workspace_at_ + workspace;
    macs_ = static_cast<double>(lines * gather_.rows_of_a_line()) *
            static_cast<double>(record_.n * w.taps() * w.channels);
    return {};
  }

  void run(const RunContext& context) override {
    auto* rows = reinterpret_cast<int8_t*>(context.scratch);
    auto* sums = reinterpret_cast<int32_t*>(context.scratch + sums_at_);
    const int64_t lines = gather_.lines(), k = gather_.row_bytes();
    kernels::MatmulS8 problem = problem_;
    problem.b = context.inputs[1].as<const std::byte>();
    problem.output = constants_.output(0);
    problem.output.sum_shift = sum_shift(record_);
    const int8_t* residual = residual_of(context.inputs);
    for (int64_t line = 0; line < lines; line += block_) {
      const int64_t count = std::min(block_, lines - line);
      gather_.run(context.inputs[0].as<int8_t>(), padding_, line, count, rows, context.pool);
      const kernels::RowPlan& plan = plans_[count < block_];
      const auto sum_rows = [&](int64_t begin, int64_t end) {
        variant_->core->sums(rows + begin * k, end - begin, k, sums + begin);
      };
      if (kernels::needs_row_sums(*variant_, problem, plan.count()))
        context.pool.parallel_for(plan.count(), kGrainCodes / k + 1, sum_rows);
      const int64_t at = line * gather_.rows_of_a_line() * record_.n;
      kernels::matmul_s8(*variant_, problem, plan,
                         {.a = rows,
                          .row_sums = sums,
                          .out = context.outputs[0].as<int8_t>() + at,
                          .stride = record_.n,
                          .residual = residual ? residual + at : nullptr,
                          .workspace = context.scratch + workspace_at_,
                          .copy = context.copy},
                         context.pool);
    }
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override { return macs_; }

 private:
  static constexpr int64_t kBlockBytes = 1 << 20, kGrainCodes = 64 * 1024;

  format::PackedRecord record_;
  RequantiseConstants constants_;
  kernels::MatmulS8 problem_;
  kernels::GatherRows gather_;
  std::array<kernels::RowPlan, 2> plans_;  // of a block, and of the last one
  int8_t padding_ = 0;
  const kernels::MatmulS8Variant* variant_;
  int64_t block_ = 1;  // lines
  size_t sums_at_ = 0, workspace_at_ = 0;
  double macs_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_qproduct_gathered(const kernels::MatmulS8Variant& variant) {
  return std::make_unique<QProductGathered>(variant);
}

}  // namespace nibble::run
