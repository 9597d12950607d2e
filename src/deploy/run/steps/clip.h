#pragma once

#include <limits>

#include "deploy/model/attributes.h"

namespace nibble::run {

/// The activation fused into a float op: y = min(max(y, lo), hi).
struct Clip {
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();

  static Clip of(const model::Attributes& attributes) {
    const Clip none;
    return {attributes.get_float(model::Attr::clip_min, none.lo),
            attributes.get_float(model::Attr::clip_max, none.hi)};
  }
  float operator()(float y) const {
    const float raised = lo > y ? lo : y;  // a NaN passes
    return hi < raised ? hi : raised;
  }
};

}  // namespace nibble::run
