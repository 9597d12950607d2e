// Uniform affine grid: q = clamp(rne(x / s) + z, qmin, qmax), x^ = s (q - z).
// Source: Nagel et al., "A White Paper on Neural Network Quantization", 2021, eq. 4-8; with the
// integer zero point added after rounding, so that real zero is a level. x^ is one binary32
// multiply: q - z is exact in binary32 (qmax - qmin < 2^24).

#include <cmath>

#include "deploy/numeric/grid.h"
#include "deploy/numeric/rounding.h"

namespace nibble::numeric {
namespace {

int64_t quantize(const float* x, int64_t n, const QuantParams& p, size_t unit, int32_t* codes) {
  const float scale = p.scales[unit];
  const int32_t zero = p.zero_point(unit);
  int64_t nans = 0;
  for (int64_t i = 0; i < n; ++i) {
    codes[i] = quantize_affine(x[i], scale, zero, p.qmin, p.qmax);
    nans += std::isnan(x[i]);
  }
  return nans;
}

void dequantize(const int32_t* codes, int64_t n, const QuantParams& p, size_t unit, float* x) {
  const float scale = p.scales[unit];
  const int32_t zero = p.zero_point(unit);
  for (int64_t i = 0; i < n; ++i) x[i] = scale * static_cast<float>(codes[i] - zero);
}

}  // namespace

namespace grid {

extern const Grid affine;
const Grid affine = {GridId::kAffine,
                     "affine",
                     "evenly spaced levels s (q - z) with an integer zero point",
                     "Nagel et al. 2021, eq. 4-8",
                     quantize,
                     dequantize};

}  // namespace grid
}  // namespace nibble::numeric
