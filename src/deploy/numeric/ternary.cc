// Ternary grid: q = clamp(rne(x / s), -1, 1), x^ = s q, so the threshold is s / 2, which is where
// the best scale puts it. The affine grid of these three codes; a grid of its own because its fit
// is exact and its packed codes have a value that no code takes. Source: Li and Liu, "Ternary
// Weight Networks", 2016, section 2.1.

#include <cmath>

#include "deploy/numeric/grid.h"
#include "deploy/numeric/rounding.h"

namespace nibble::numeric {
namespace {

int64_t quantize(const float* x, int64_t n, const QuantParams& p, size_t unit, int32_t* codes) {
  int64_t nans = 0;
  for (int64_t i = 0; i < n; ++i) {
    codes[i] = quantize_affine(x[i], p.scales[unit], 0, -1, 1);
    nans += std::isnan(x[i]);
  }
  return nans;
}

void dequantize(const int32_t* codes, int64_t n, const QuantParams& p, size_t unit, float* x) {
  for (int64_t i = 0; i < n; ++i) x[i] = p.scales[unit] * static_cast<float>(codes[i]);
}

}  // namespace

namespace grid {

extern const Grid ternary;
const Grid ternary = {GridId::kTernary,
                      "ternary",
                      "three levels s q, codes -1, 0 and +1",
                      "Li and Liu 2016, section 2.1",
                      quantize,
                      dequantize};

}  // namespace grid
}  // namespace nibble::numeric
