#include "quant/calibrate/exact_ternary.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace nibble::calibrate {

double exact_ternary_scale(std::span<const float> values) {
  std::vector<float> magnitudes(values.size());
  std::transform(values.begin(), values.end(), magnitudes.begin(),
                 [](float x) { return std::abs(x); });
  std::sort(magnitudes.begin(), magnitudes.end(), std::greater<>());
  double sum = 0, best = 0, scale = 0;
  for (size_t i = 0; i < magnitudes.size(); ++i) {
    sum += magnitudes[i];
    const double gain = sum / static_cast<double>(i + 1) * sum;
    if (!(gain > best)) continue;
    best = gain;
    scale = sum / static_cast<double>(i + 1);
  }
  return scale;
}

}  // namespace nibble::calibrate
