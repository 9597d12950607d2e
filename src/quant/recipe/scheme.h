#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "deploy/numeric/quant_params.h"

namespace nibble::recipe {

/// W<w>A<a>[G<g>][_SYM|_ASYM], w = 1..8 or T, a = 1..8, 16 or I16.
struct Scheme {
  int weight_bits = 8;   // 1..8; 2 under ternary
  bool ternary = false;  // WT: codes {-1, 0, +1}
  enum class Activations { kInt, kFloat, kInt16 } activations = Activations::kInt;
  int act_bits = 8;               // 1..8; 16 under kInt16 and kFloat
  int64_t group = 0;              // 0: per channel; else block length along K
  std::optional<bool> symmetric;  // weights; empty: the default (symmetric)
  friend bool operator==(const Scheme&, const Scheme&) = default;
};

/// Throws Error(kUsage) that shows the grammar and an example.
Scheme parse_scheme(std::string_view text);
std::string to_string(const Scheme& scheme);

/// The parts of a scheme's name in words, for listings.
struct SchemeForm {
  const char* pattern;
  const char* meaning;
};
std::span<const SchemeForm> scheme_forms();

/// The code range that weights of `bits` bits take by default: restricted from 8 to 5 bits, full at
/// 4 to 2. (Symmetric weights of one bit are binary and have no range to choose.)
numeric::RangeKind default_weight_range(int bits, bool symmetric);

}  // namespace nibble::recipe
