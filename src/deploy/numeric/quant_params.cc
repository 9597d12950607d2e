#include "deploy/numeric/quant_params.h"

#include <cmath>
#include <string>

namespace nibble::numeric {
namespace {

int64_t units(int64_t length, int64_t group) {
  return length / group + (length % group != 0);  // no overflow for a group from a file
}

/// Binary and ternary grids have one width and one range.
Status check_width(const QuantParams& p) {
  const bool affine = p.grid == GridId::kAffine;
  const int fixed = p.grid == GridId::kBinary ? 1 : 2;
  const int least = affine ? (is_symmetric(p.range) ? kMinBits : 1) : fixed;
  const int most = affine ? kMaxBits : fixed;
  if (p.bits < least || p.bits > most)
    return invalid_argument("bit width " + std::to_string(p.bits) + ", expected " +
                            std::to_string(least) + ".." + std::to_string(most));
  if (!affine && p.range != RangeKind::kRestricted)
    return invalid_argument("range " + std::string(name_of(p.range)) + ", expected " +
                            std::string(name_of(RangeKind::kRestricted)) + " for this grid");
  return {};
}

Status check_codes(const QuantParams& p) {
  NIBBLE_RETURN_IF_ERROR(check_width(p));
  const CodeRange expected = code_range(p.grid, p.range, p.bits);
  const int32_t shift = is_symmetric(p.range) ? 0 : int32_t{1} << (p.bits - 1);
  const CodeRange found{p.qmin, p.qmax};
  if (found != expected && found != CodeRange{expected.qmin - shift, expected.qmax - shift})
    return invalid_argument("codes " + std::to_string(p.qmin) + ".." + std::to_string(p.qmax) +
                            " are not " + std::to_string(p.bits) + "-bit " +
                            std::string(name_of(p.range)) + " codes, expected " +
                            std::to_string(expected.qmin) + ".." + std::to_string(expected.qmax));
  return {};
}

Status check_axis(const char* what, int axis, const Shape& shape) {
  if (axis < 0 || axis >= shape.rank())
    return invalid_argument(std::string(what) + " " + std::to_string(axis) +
                            " does not exist in shape " + to_string(shape));
  if (shape[axis] == kUnknownDim)
    return invalid_argument(std::string(what) + " " + std::to_string(axis) + " of shape " +
                            to_string(shape) + " is not known");
  return {};
}

Status check_unit(const QuantParams& p, size_t i) {
  if (!(p.scales[i] > 0) || !std::isfinite(p.scales[i]))
    return invalid_argument("scale " + std::to_string(i) + " is " + std::to_string(p.scales[i]) +
                            ", expected a positive finite number");
  const int32_t z = p.zero_point(i);
  if (is_symmetric(p.range) ? z != 0 : z < p.qmin || z > p.qmax)
    return invalid_argument(
        "zero point " + std::to_string(i) + " is " + std::to_string(z) + ", expected " +
        (is_symmetric(p.range) ? "0" : std::to_string(p.qmin) + ".." + std::to_string(p.qmax)));
  if (p.range == RangeKind::kUnsigned && z != p.qmin)
    return invalid_argument("zero point " + std::to_string(i) + " of an unsigned grid is " +
                            std::to_string(z) + ", expected " + std::to_string(p.qmin));
  return {};
}

}  // namespace

CodeRange code_range(RangeKind range, int bits) {
  const int32_t half = int32_t{1} << (bits - 1);
  switch (range) {
    case RangeKind::kRestricted:
      return {1 - half, half - 1};
    case RangeKind::kWhitePaper:
    case RangeKind::kFull:
    case RangeKind::kTwos:
      return {-half, half - 1};
    case RangeKind::kUnsigned:
    case RangeKind::kAsymmetric:
      return {0, 2 * half - 1};
  }
  __builtin_unreachable();
}

CodeRange code_range(GridId grid, RangeKind range, int bits) {
  return grid == GridId::kAffine ? code_range(range, bits) : CodeRange{-1, 1};
}

std::string_view name_of(Granularity granularity) {
  switch (granularity) {
    case Granularity::kTensor:
      return "tensor";
    case Granularity::kChannel:
      return "channel";
    case Granularity::kGroup:
      return "group";
    case Granularity::kBlock:
      return "block";
  }
  __builtin_unreachable();
}

int64_t scale_count(const QuantParams& p, const Shape& shape) {
  switch (p.granularity) {
    case Granularity::kTensor:
      return 1;
    case Granularity::kChannel:
      return shape[p.axis];
    case Granularity::kGroup:
      return units(shape[p.axis], p.group);
    case Granularity::kBlock:
      return shape[p.axis] * units(shape[p.block_axis], p.group);
  }
  __builtin_unreachable();
}

Status check_axes(const QuantParams& p, const Shape& shape) {
  if (p.granularity == Granularity::kTensor) return {};
  NIBBLE_RETURN_IF_ERROR(check_axis("scale axis", p.axis, shape));
  if (p.granularity == Granularity::kChannel) return {};
  if (p.group < 1)
    return invalid_argument("group size " + std::to_string(p.group) + ", expected at least 1");
  if (p.granularity == Granularity::kBlock) {
    NIBBLE_RETURN_IF_ERROR(check_axis("block axis", p.block_axis, shape));
    if (p.block_axis == p.axis)
      return invalid_argument("scale axis and block axis are both " + std::to_string(p.axis));
  }
  return {};
}

Status check(const QuantParams& p, const Shape& shape) {
  NIBBLE_RETURN_IF_ERROR(check_codes(p));
  NIBBLE_RETURN_IF_ERROR(check_axes(p, shape));
  const auto expected = static_cast<size_t>(scale_count(p, shape));
  if (p.scales.size() != expected)
    return invalid_argument(std::to_string(p.scales.size()) + " scales, expected " +
                            std::to_string(expected) + " (per " +
                            std::string(name_of(p.granularity)) + " of " + to_string(shape) + ")");
  if (!p.zero_points.empty() && p.zero_points.size() != expected)
    return invalid_argument(std::to_string(p.zero_points.size()) + " zero points, expected " +
                            std::to_string(expected));
  for (size_t i = 0; i < expected; ++i) NIBBLE_RETURN_IF_ERROR(check_unit(p, i));
  return {};
}

}  // namespace nibble::numeric
