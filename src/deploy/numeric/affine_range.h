#pragma once

#include "deploy/numeric/quant_params.h"

namespace nibble::numeric {

/// Scale and zero point of one unit (tensor, channel, block); the very binary32 value that is
/// stored.
struct Affine {
  float scale = 1.0f;
  int32_t zero_point = 0;
  friend bool operator==(const Affine&, const Affine&) = default;
};

/// Scale and zero point of a named range that covers [lo, hi], widened first to hold 0 (the
/// formulas of RangeKind, in binary64, the scale rounded to binary32 before the zero point is
/// taken). Symmetric kinds use max(|lo|, |hi|), kUnsigned uses hi alone. A degenerate range (lo =
/// hi = 0) has scale 1; no scale is below the smallest normal binary32. lo, hi: finite.
Affine affine_from_range(float lo, float hi, RangeKind range, int bits);

}  // namespace nibble::numeric
