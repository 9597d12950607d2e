#include "deploy/kernels/requantise/dynamic.h"

#include <algorithm>
#include <bit>

namespace nibble::kernels {
namespace {

constexpr int32_t kInfinity = 0x7f800000;

/// Reals that are not negative are ordered as their bits; NaNs are above infinity.
int32_t magnitude(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x) & 0x7fffffff;
  return bits > kInfinity ? 0 : bits;
}

}  // namespace

float dynamic_scale(const float* x, int64_t n) {
  constexpr int64_t kLanes = 16;  // any order of the maxima gives the same
  int32_t lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] = std::max(lanes[l], magnitude(x[i + l]));
  for (; i < n; ++i) lanes[0] = std::max(lanes[0], magnitude(x[i]));
  const int32_t largest = *std::max_element(lanes, lanes + kLanes);
  const float m = std::bit_cast<float>(std::min(largest, kInfinity - 1));
  return std::max(m / 127.0f, 0x1p-126f);
}

}  // namespace nibble::kernels
