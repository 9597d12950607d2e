#pragma once

#include <string>

#include "deploy/base/tensor.h"

namespace nibble {

/// Empty where `got` is `want` by the rule of ONNX's backend tests: the same shape and type;
/// integers exactly, reals within 1e-7 + 1e-3 |want|, infinities and NaN in the same places.
/// Otherwise one line about the first difference.
std::string difference(const TensorView& got, const TensorView& want);

}  // namespace nibble
