#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "deploy/base/dtype.h"

namespace nibble::data {

/// True when numbers of type `from` may become type `to`: any number a float, integers and bool an
/// integer.
bool convertible(DType from, DType to);

/// Converts element by element (to a narrower float: nearest, ties to even). Returns what is wrong
/// with the first value that cannot be converted: an integer that `to` does not hold, or NaN.
std::optional<std::string> convert(DType from, std::span<const std::byte> in, DType to,
                                   std::span<std::byte> out);

}  // namespace nibble::data
