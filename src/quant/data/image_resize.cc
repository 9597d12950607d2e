// Pillow's resampling, src/libImaging/Resample.c (Lundh, Clark and contributors), for 8-bit
// samples.
#include <algorithm>
#include <cmath>

#include "quant/data/image_ops.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

constexpr int kPrecision = 32 - 8 - 2;

/// The input samples [first, first + weights.size()) that make one output sample.
struct Taps {
  int first = 0;
  std::vector<int32_t> weights;  // sum 2^22, up to rounding
};

std::vector<Taps> make_taps(int in, int out) {
  const double scale = static_cast<double>(in) / out;
  const double support = std::max(scale, 1.0), per_support = 1.0 / support;
  std::vector<Taps> all(static_cast<size_t>(out));
  std::vector<double> weights;
  for (int i = 0; i < out; ++i) {
    const double center = (i + 0.5) * scale;
    // Truncation towards zero, as there.
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int last = std::min(static_cast<int>(center + support + 0.5), in);
    weights.clear();
    double sum = 0;
    for (int x = first; x < last; ++x) {
      const double distance = std::abs((x - center + 0.5) * per_support);
      weights.push_back(distance < 1.0 ? 1.0 - distance : 0.0);
      sum += weights.back();
    }
    Taps& taps = all[static_cast<size_t>(i)];
    taps.first = first;
    for (double w : weights) {
      if (sum != 0.0) w /= sum;
      taps.weights.push_back(static_cast<int32_t>(0.5 + w * (1 << kPrecision)));
    }
  }
  return all;
}

/// Resamples `lines` lines of `in` positions, each `channels` samples wide; positions lie `stride`
/// samples apart, lines `line_stride`.
struct Axis {
  int lines, channels;
  size_t in_stride, in_line_stride, out_stride, out_line_stride;
};

void resample(const uint8_t* in, uint8_t* out, const std::vector<Taps>& taps, const Axis& axis) {
  for (int line = 0; line < axis.lines; ++line)
    for (size_t i = 0; i < taps.size(); ++i)
      for (int c = 0; c < axis.channels; ++c) {
        const uint8_t* p = in + static_cast<size_t>(line) * axis.in_line_stride +
                           static_cast<size_t>(taps[i].first) * axis.in_stride + c;
        int32_t sum = 1 << (kPrecision - 1);
        for (int32_t w : taps[i].weights) {
          sum += w * *p;
          p += axis.in_stride;
        }
        out[static_cast<size_t>(line) * axis.out_line_stride + i * axis.out_stride + c] =
            static_cast<uint8_t>(std::clamp(sum >> kPrecision, 0, 255));
      }
}

}  // namespace

Image resize_bilinear(const Image& image, int height, int width) {
  Image wide = image;
  const size_t channels = static_cast<size_t>(image.channels);
  if (width != image.width) {
    wide.width = width;
    wide.pixels.assign(static_cast<size_t>(image.height) * static_cast<size_t>(width) * channels,
                       0);
    resample(image.pixels.data(), wide.pixels.data(), make_taps(image.width, width),
             {image.height, image.channels, channels, channels * static_cast<size_t>(image.width),
              channels, channels * static_cast<size_t>(width)});
  }
  if (height == image.height) return wide;
  Image out{height, width, image.channels, {}};
  const size_t row = static_cast<size_t>(width) * channels;
  out.pixels.resize(row * static_cast<size_t>(height));
  // Every column of samples is a line.
  resample(wide.pixels.data(), out.pixels.data(), make_taps(image.height, height),
           {static_cast<int>(row), 1, row, 1, row, 1});
  return out;
}

Extent resized_extent(const Image& image, Extent extent) {
  if (extent.width != 0) return extent;
  const int64_t n = extent.height, h = image.height, w = image.width;
  if (h <= w) return {extent.height, static_cast<int>(n * w / h)};
  return {static_cast<int>(n * h / w), extent.height};
}

Image center_crop(const Image& image, Extent extent) {
  const int height = extent.height, width = extent.width ? extent.width : extent.height;
  if (height > image.height || width > image.width)
    throw Error(ErrorKind::kData, "picture of " + std::to_string(image.height) + "x" +
                                      std::to_string(image.width) + " is smaller than the crop " +
                                      std::to_string(height) + "x" + std::to_string(width));
  const auto half_even = [](int difference) {
    const int half = difference / 2;
    return difference % 2 && half % 2 ? half + 1 : half;
  };
  const int top = half_even(image.height - height), left = half_even(image.width - width);
  Image out{height, width, image.channels, {}};
  const size_t row = static_cast<size_t>(width) * static_cast<size_t>(image.channels);
  out.pixels.reserve(row * static_cast<size_t>(height));
  for (int y = 0; y < height; ++y) {
    const size_t at = (static_cast<size_t>(top + y) * static_cast<size_t>(image.width) +
                       static_cast<size_t>(left)) *
                      static_cast<size_t>(image.channels);
    out.pixels.insert(out.pixels.end(), image.pixels.begin() + static_cast<std::ptrdiff_t>(at),
                      image.pixels.begin() + static_cast<std::ptrdiff_t>(at + row));
  }
  return out;
}

}  // namespace nibble::data
