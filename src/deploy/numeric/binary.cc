// Binary grid: q = -1 for x < 0, else +1; x^ = s q. Zero and NaN are +1; real zero is no level.
// Source: Rastegari et al., "XNOR-Net", ECCV 2016, section 3.1 (sign and scale), with sign(0) = +1.

#include <cmath>

#include "deploy/numeric/grid.h"
#include "deploy/numeric/rounding.h"

namespace nibble::numeric {
namespace {

int64_t quantize(const float* x, int64_t n, const QuantParams&, size_t, int32_t* codes) {
  int64_t nans = 0;
  for (int64_t i = 0; i < n; ++i) {
    codes[i] = quantize_binary(x[i]);
    nans += std::isnan(x[i]);
  }
  return nans;
}

void dequantize(const int32_t* codes, int64_t n, const QuantParams& p, size_t unit, float* x) {
  for (int64_t i = 0; i < n; ++i) x[i] = p.scales[unit] * static_cast<float>(codes[i]);
}

}  // namespace

namespace grid {

extern const Grid binary;
const Grid binary = {GridId::kBinary,
                     "binary",
                     "two levels s q, codes -1 and +1, sign(0) = +1",
                     "Rastegari et al. 2016, section 3.1",
                     quantize,
                     dequantize};

}  // namespace grid
}  // namespace nibble::numeric
