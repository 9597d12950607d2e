#pragma once

#include <string>

#include "deploy/base/tensor.h"

namespace nibble {

/// A real is right within absolute + relative |want| + of_largest max |want|, infinities and NaN in
/// the same places.
struct Tolerance {
  double absolute = 1e-7, relative = 1e-3;  // ONNX's backend tests
  double of_largest = 0;
};

/// Empty where `got` is `want`: the same shape and type, integers exactly, reals within
/// `tolerance`. Otherwise one line about the first difference.
std::string difference(const TensorView& got, const TensorView& want, const Tolerance& tolerance);

}  // namespace nibble
