#pragma once

#include <cstdint>
#include <vector>

#include "deploy/base/shape.h"

namespace nibble::numeric {

/// Families of grids (grids.inc). Stored in .nbl files: never renumber.
enum class GridId : uint8_t { kAffine = 1 };

/// The four things "symmetric" means in print, and asymmetric (methods: Nagel et al. 2021; grid of
/// codes and scale):
///   restricted   -(2^(b-1)-1) .. 2^(b-1)-1   s = m / (2^(b-1)-1)
///   white_paper  -2^(b-1)     .. 2^(b-1)-1   s = m / (2^(b-1)-1)
///   full         -2^(b-1)     .. 2^(b-1)-1   s = 2m / (2^b-1)
///   twos         -2^(b-1)     .. 2^(b-1)-1   s = m / 2^(b-1)
///   unsigned      0           .. 2^b-1       s = hi / (2^b-1)
///   asymmetric    0           .. 2^b-1       s = (hi-lo) / (2^b-1), z = clamp(round(qmin - lo/s))
enum class RangeKind : uint8_t {
  kRestricted = 1,
  kWhitePaper = 2,
  kFull = 3,
  kTwos = 4,
  kUnsigned = 5,
  kAsymmetric = 6
};

/// What one scale covers.
enum class Granularity : uint8_t {
  kTensor = 1,
  kChannel = 2,  // one scale an index of `axis`
  kGroup = 3,    // one scale for `group` consecutive indices of `axis`; the last group may be short
  kBlock = 4,    // one scale an index of `axis` and block of `group` consecutive elements along
                 // `block_axis`
};

/// How a real tensor maps to integer codes: q = clamp(round_half_even(x / s) + z, qmin, qmax), x^ =
/// s (q - z). Scales are ordered by axis index (kChannel), group (kGroup), or [axis index][block]
/// (kBlock).
struct QuantParams {
  GridId grid = GridId::kAffine;
  int bits = 8;
  RangeKind range = RangeKind::kRestricted;
  int32_t qmin = -127;
  int32_t qmax = 127;
  Granularity granularity = Granularity::kTensor;
  int axis = 0;
  int block_axis = 1;
  int64_t group = 0;
  std::vector<float> scales;         // binary32: the very values that are stored and exported
  std::vector<int32_t> zero_points;  // as many as scales; empty = all zero

  int32_t zero_point(size_t i) const { return zero_points.empty() ? 0 : zero_points[i]; }
  bool is_signed() const { return qmin < 0; }
  friend bool operator==(const QuantParams&, const QuantParams&) = default;
};

}  // namespace nibble::numeric
