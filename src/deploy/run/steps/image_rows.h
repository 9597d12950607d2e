#pragma once

#include "deploy/kernels/matmul/row_sums.h"
#include "deploy/run/step.h"

namespace nibble::run {

/// Takes `bytes` of the scratch memory: where they begin.
size_t take_scratch(PrepareContext& context, int64_t bytes);

/// What a product of codes reads of an image: the rows that a plan speaks of, copied where the plan
/// copies, and their sums.
class ImageRows {
 public:
  struct View {
    const int8_t* codes = nullptr;
    const int32_t* sums = nullptr;  // [groups][rows]; null where they were not asked for
  };

  ImageRows() = default;
  /// `sums`: the core that adds up codes; null where nobody reads the sums. `padding`: the code
  /// around the image.
  ImageRows(const kernels::WindowPlan& plan, kernels::SumsS8Core* sums, int8_t padding,
            PrepareContext& context);

  const kernels::WindowPlan& plan() const { return plan_; }
  View run(const int8_t* image, const RunContext& context) const;

 private:
  kernels::WindowPlan plan_;
  kernels::RowSums row_sums_;
  kernels::SumsS8Core* sums_ = nullptr;
  int8_t padding_ = 0;
  size_t copy_at_ = 0, sums_at_ = 0, sums_scratch_at_ = 0;
};

}  // namespace nibble::run
