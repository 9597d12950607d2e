#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "deploy/numeric/quant_params.h"

namespace nibble::numeric {

/// A family of grids: how reals become codes and codes become reals. One record a file, listed in
/// grids.inc. Fitting scales to data is the host's business.
struct Grid {
  GridId id;
  std::string_view name;
  std::string_view summary;
  std::string_view source;  // authors, year, equation

  /// Codes of n reals that share scale `unit` of `params`; returns how many were NaN (they get the
  /// code of zero).
  int64_t (*quantize)(const float* x, int64_t n, const QuantParams& params, size_t unit,
                      int32_t* codes);
  /// Reals of n codes that share scale `unit`.
  void (*dequantize)(const int32_t* codes, int64_t n, const QuantParams& params, size_t unit,
                     float* x);
};

/// All grids, in the order of grids.inc; and one by id (valid after is_grid).
std::span<const Grid* const> grids();
const Grid& grid_of(GridId id);
/// The code of one real.
int32_t quantize_one(float x, const QuantParams& params, size_t unit = 0);
/// True for a number that names a GridId (numbers come from files).
bool is_grid(int number);

}  // namespace nibble::numeric
