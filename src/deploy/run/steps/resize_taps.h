#pragma once

#include <cstdint>
#include <vector>

#include "deploy/base/status.h"
#include "deploy/model/attributes.h"
#include "deploy/model/resize.h"

namespace nibble::run {

/// How one axis of a Resize is computed: output o is the sum of weight[o][t] input[index[o][t]], t
/// ascending. Resize is separable, so each axis has its own.
struct ResizeTaps {
  int64_t taps = 1;
  std::vector<int64_t> index;  // [output][taps], clamped to the axis
  std::vector<float> weight;   // [output][taps]
  std::vector<char>
      outside;  // [output]: takes the extrapolation value (tf_crop_and_resize); empty: none
};

/// ONNX's formulas in binary64: coordinate_transformation_mode, mode (nearest has one tap of weight
/// 1), nearest_mode, cubic_coeff_a, exclude_outside, antialias. `scale` is axis.scale, or closer to
/// output / input than binary32 holds it; roi_start and roi_end are 0 and 1 unless given. Errors:
/// unknown modes.
Result<ResizeTaps> resize_taps(const model::Attributes& attributes, const model::ResizeAxis& axis,
                               double scale, double roi_start, double roi_end);

}  // namespace nibble::run
