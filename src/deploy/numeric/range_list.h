#pragma once

#include <span>
#include <string_view>

#include "deploy/numeric/quant_params.h"

namespace nibble::numeric {

/// One line of ranges.inc, in words.
struct RangeInfo {
  RangeKind kind;
  std::string_view name;    // "restricted"
  std::string_view codes;   // "-(2^(b-1)-1) .. 2^(b-1)-1"
  std::string_view scale;   // "m/(2^(b-1)-1)"
  std::string_view source;  // who uses or defines it
};

/// All of them, in the order of RangeKind's numbers.
std::span<const RangeInfo> ranges();

}  // namespace nibble::numeric
