#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "deploy/base/shape.h"
#include "deploy/base/status.h"
#include "deploy/model/attributes.h"

namespace nibble::model {

/// One axis of a Resize.
struct ResizeAxis {
  int64_t input = 0;
  int64_t output = 0;
  float scale = 1;  // as given, or output / input where sizes are given
};

/// All axes of the input of a Resize, those outside attribute `axes` unchanged. Exactly one of
/// `scales` and `sizes` is given (an empty span: not given), one value an entry of `axes` (default:
/// all axes). keep_aspect_ratio_policy applies to sizes. Unknown dimensions stay unknown.
Result<std::vector<ResizeAxis>> resolve_resize(const Attributes& attributes, const Shape& input,
                                               std::span<const float> scales,
                                               std::span<const int64_t> sizes);

}  // namespace nibble::model
