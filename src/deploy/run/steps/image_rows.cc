#include "deploy/run/steps/image_rows.h"

namespace nibble::run {

size_t take_scratch(PrepareContext& context, int64_t bytes) {
  const size_t at = align_up(context.scratch_bytes);
  context.scratch_bytes = at + static_cast<size_t>(bytes);
  return at;
}

ImageRows::ImageRows(const kernels::WindowPlan& plan, kernels::SumsS8Core* sums, int8_t padding,
                     PrepareContext& context)
    : plan_(plan), row_sums_(plan), sums_(sums), padding_(padding) {
  copy_at_ = take_scratch(context, plan_.copy_size());
  if (!sums_) return;
  sums_at_ = take_scratch(context, row_sums_.size() * 4);
  sums_scratch_at_ = take_scratch(context, row_sums_.scratch_size() * 4);
}

ImageRows::View ImageRows::run(const int8_t* image, const RunContext& context) const {
  if (plan_.copies()) {
    auto* copy = reinterpret_cast<int8_t*>(context.scratch + copy_at_);
    plan_.copy(image, padding_, copy, context.pool);
    image = copy;
  }
  if (!sums_) return {image, nullptr};
  auto* sums = reinterpret_cast<int32_t*>(context.scratch + sums_at_);
  row_sums_.run(sums_, image, reinterpret_cast<int32_t*>(context.scratch + sums_scratch_at_), sums,
                context.pool);
  return {image, sums};
}

}  // namespace nibble::run
