#include "deploy/run/steps/resize_taps.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

namespace nibble::run {
namespace {

using model::Attr;

/// Where output coordinate o lies in the input.
Result<double> source_of(std::string_view mode, const model::ResizeAxis& axis, double scale,
                         double roi_start, double roi_end, int64_t o) {
  const double x = static_cast<double>(o), input = static_cast<double>(axis.input);
  const double length = scale * input;  // of the output, before it was rounded to whole elements
  if (mode == "half_pixel") return (x + 0.5) / scale - 0.5;
  if (mode == "asymmetric") return x / scale;
  if (mode == "align_corners") return length == 1 ? 0.0 : x * (input - 1) / (length - 1);
  if (mode == "pytorch_half_pixel") return length == 1 ? -0.5 : (x + 0.5) / scale - 0.5;
  if (mode == "half_pixel_symmetric")
    return input / 2 * (1 - static_cast<double>(axis.output) / length) + (x + 0.5) / scale - 0.5;
  if (mode == "tf_half_pixel_for_nn") return (x + 0.5) / scale;
  if (mode == "tf_crop_and_resize") {
    const double span = roi_end - roi_start;
    return roi_start * (input - 1) +
           (length == 1 ? span * (input - 1) / 2 : x * span * (input - 1) / (length - 1));
  }
  return invalid_argument("unknown coordinate_transformation_mode '" + std::string(mode) + "'");
}

Result<int64_t> nearest_of(std::string_view mode, double x) {
  const double low = std::floor(x);
  if (mode == "round_prefer_floor") return static_cast<int64_t>(x - low <= 0.5 ? low : low + 1);
  if (mode == "round_prefer_ceil") return static_cast<int64_t>(x - low < 0.5 ? low : low + 1);
  if (mode == "floor") return static_cast<int64_t>(low);
  if (mode == "ceil") return static_cast<int64_t>(std::ceil(x));
  return invalid_argument("unknown nearest_mode '" + std::string(mode) + "'");
}

double triangle(double x) {
  return std::max(0.0, 1.0 - std::abs(x));
}
/// Keys' cubic convolution kernel (1981) with parameter a.
double cubic(double x, double a) {
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

/// Taps around x of a kernel that reaches `radius` elements to both sides, stretched by 1/scale
/// where it filters (scale < 1).
void interpolate(double x, bool is_cubic, double a, double scale, bool renormalise,
                 bool exclude_outside, int64_t input, ResizeTaps& taps) {
  const int64_t half = taps.taps / 2;
  const int64_t first = static_cast<int64_t>(std::ceil(x)) -
                        half;  // an integer x is the right of the two middle taps
  std::vector<double> weights(static_cast<size_t>(taps.taps));
  double sum = 0;
  for (int64_t t = 0; t < taps.taps; ++t) {
    const int64_t at = first + t;
    const double distance = (static_cast<double>(at) - x) * scale;
    double w = is_cubic ? cubic(distance, a) : triangle(distance);
    if (exclude_outside && (at < 0 || at >= input)) w = 0;
    weights[static_cast<size_t>(t)] = w;
    sum += w;
    taps.index.push_back(std::clamp<int64_t>(at, 0, input - 1));
  }
  const double divisor = (renormalise || exclude_outside) && sum != 0 ? sum : 1;
  for (double w : weights) taps.weight.push_back(static_cast<float>(w / divisor));
}

}  // namespace

Result<ResizeTaps> resize_taps(const model::Attributes& attributes, const model::ResizeAxis& axis,
                               double scale, double roi_start, double roi_end) {
  const auto coordinates =
      attributes.get_string(Attr::coordinate_transformation_mode, "half_pixel");
  const auto mode = attributes.get_string(Attr::mode, "nearest");
  const auto nearest_mode = attributes.get_string(Attr::nearest_mode, "round_prefer_floor");
  const bool is_cubic = mode == "cubic",
             exclude_outside = attributes.get_int(Attr::exclude_outside, 0) != 0;
  const double a = attributes.get_float(Attr::cubic_coeff_a, -0.75f);
  if (mode != "nearest" && mode != "linear" && !is_cubic)
    return invalid_argument("unknown mode '" + std::string(mode) +
                            "', expected nearest, linear or cubic");
  const bool antialias = attributes.get_int(Attr::antialias, 0) != 0 && mode != "nearest";
  const double filter = antialias ? std::min(1.0, scale) : 1.0;

  ResizeTaps taps;
  if (mode != "nearest")
    taps.taps = 2 * static_cast<int64_t>(std::ceil((is_cubic ? 2 : 1) / filter));
  const bool crops = coordinates == "tf_crop_and_resize";
  for (int64_t o = 0; o < axis.output; ++o) {
    const auto source = source_of(coordinates, axis, scale, roi_start, roi_end, o);
    if (!source.ok()) return source.status();
    const double x = source.value();
    if (crops) taps.outside.push_back(x < 0 || x > static_cast<double>(axis.input - 1));
    if (mode == "nearest") {
      const auto at = nearest_of(nearest_mode, x);
      if (!at.ok()) return at.status();
      taps.index.push_back(std::clamp<int64_t>(at.value(), 0, axis.input - 1));
      taps.weight.push_back(1);
    } else {
      interpolate(x, is_cubic, a, filter, antialias, exclude_outside, axis.input, taps);
    }
  }
  return taps;
}

}  // namespace nibble::run
