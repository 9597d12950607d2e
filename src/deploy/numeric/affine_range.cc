#include "deploy/numeric/affine_range.h"

#include <algorithm>
#include <limits>

#include "deploy/numeric/rounding.h"

namespace nibble::numeric {
namespace {

double exact_scale(double lo, double hi, RangeKind range, int bits) {
  const double magnitude = std::max(-lo, hi);
  const double codes = static_cast<double>(int32_t{1} << bits);
  switch (range) {
    case RangeKind::kRestricted:
    case RangeKind::kWhitePaper:
      return magnitude / (codes / 2 - 1);
    case RangeKind::kFull:
      return 2 * magnitude / (codes - 1);
    case RangeKind::kTwos:
      return magnitude / (codes / 2);
    case RangeKind::kUnsigned:
      return hi / (codes - 1);
    case RangeKind::kAsymmetric:
      return (hi - lo) / (codes - 1);
  }
  __builtin_unreachable();
}

}  // namespace

Affine affine_from_range(float lo, float hi, RangeKind range, int bits) {
  lo = std::min(lo, 0.0f);
  hi = std::max(hi, 0.0f);
  const double exact = exact_scale(lo, hi, range, bits);
  if (!(exact > 0)) return {};
  const float scale = std::max(static_cast<float>(exact), std::numeric_limits<float>::min());
  if (range != RangeKind::kAsymmetric) return {scale, 0};
  const CodeRange codes = code_range(range, bits);
  const double zero = round_half_even(codes.qmin - double{lo} / scale);
  return {scale, static_cast<int32_t>(std::clamp<double>(zero, codes.qmin, codes.qmax))};
}

}  // namespace nibble::numeric
