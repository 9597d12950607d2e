#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "deploy/base/shape.h"
#include "deploy/base/status.h"

namespace nibble::numeric {

/// Families of grids (grids.inc). Stored in .nbl files: never renumber.
///   affine    the codes of a named range, below
///   binary    -1, +1 (1 bit, no code of zero)       q = x < 0 ? -1 : +1, x^ = s q
///   ternary   -1, 0, +1 (2 bits)                    the affine grid of these codes
/// Binary and ternary grids are symmetric and have RangeKind::kRestricted.
enum class GridId : uint8_t { kAffine = 1, kBinary = 2, kTernary = 3 };

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

struct CodeRange {
  int32_t qmin, qmax;
  friend bool operator==(const CodeRange&, const CodeRange&) = default;
};

inline constexpr int kMinBits = 2;  // of symmetric ranges; the others and binary grids: 1
inline constexpr int kMaxBits = 16;

/// The codes of a named range of the affine grid, bits to kMaxBits: (restricted, 4) -> -7..7,
/// (asymmetric, 8) -> 0..255.
CodeRange code_range(RangeKind range, int bits);
/// The least and the largest code of any grid.
CodeRange code_range(GridId grid, RangeKind range, int bits);
/// True for the four kinds whose zero point is 0 and whose codes are signed.
constexpr bool is_symmetric(RangeKind range) {
  return range <= RangeKind::kTwos;
}

/// What one scale covers.
enum class Granularity : uint8_t {
  kTensor = 1,
  kChannel = 2,  // one scale an index of `axis`
  kGroup = 3,    // one scale for `group` consecutive indices of `axis`; the last group may be short
  kBlock = 4,    // one scale an index of `axis` and block of `group` consecutive elements along
                 // `block_axis`
};

/// "restricted", "white_paper", ... and "tensor", "channel", ...: the names of recipes and reports.
std::string_view name_of(RangeKind range);
std::string_view name_of(Granularity granularity);

/// How a real tensor maps to integer codes; affine: q = clamp(round_half_even(x / s) + z, qmin,
/// qmax), x^ = s (q - z). Scales are ordered by axis index (kChannel), group (kGroup), or [axis
/// index][block] (kBlock).
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
  std::vector<float> scales = {};         // binary32: the very values that are stored and exported
  std::vector<int32_t> zero_points = {};  // as many as scales; empty = all zero

  int32_t zero_point(size_t i) const { return zero_points.empty() ? 0 : zero_points[i]; }
  bool is_signed() const { return qmin < 0; }
  friend bool operator==(const QuantParams&, const QuantParams&) = default;
};

/// How many scales `params` needs for a tensor of this shape. The axes must exist (check).
int64_t scale_count(const QuantParams& params, const Shape& shape);

/// The part of check() that a grid without scales can pass: axes and group exist in `shape`.
Status check_axes(const QuantParams& params, const Shape& shape);

/// Says what is wrong with `params` for a tensor of `shape` (its scaled axes known): bits, code
/// range, axes, number of scales, positive finite scales, zero points inside the codes and 0 for
/// symmetric kinds. The codes are code_range(grid, range, bits) or, for unsigned kinds, these minus
/// 2^(bits-1) (signed containers).
Status check(const QuantParams& params, const Shape& shape);

}  // namespace nibble::numeric
