#pragma once

#include <cstdint>

#include "deploy/kernels/requantise/codes.h"
#include "deploy/run/step.h"

namespace nibble::run {

struct CodeBounds {
  int32_t lo, hi;
};
/// The numbers a container of codes (i8, u8, i16, u16) holds.
CodeBounds container_bounds(DType dtype);

/// What Requantize, QAdd and QMul read from their attributes (model/infer_shapes.h), checked: zero
/// points and bounds within their containers, as many factors as the op takes, finite and not
/// negative; `binary` results in i8 without a zero point.
struct CodeArithmetic {
  kernels::CodeFactors factors;
  kernels::CodeRange range;
  bool binary = false;                            // the result is a sign
  const kernels::CodeKernels* kernels = nullptr;  // of the model's requantisation variant
};
Result<CodeArithmetic> code_arithmetic(const PrepareContext& context);

}  // namespace nibble::run
