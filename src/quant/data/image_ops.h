#pragma once

#include <span>

#include "quant/data/source.h"
#include "quant/data/spec.h"

namespace nibble::data {

/// Bilinear with antialiasing: a triangle filter whose support grows with the scale, rows first,
/// then columns, both in 8.22 fixed point and rounded to 8 bits. The same bytes as Pillow's
/// Image.resize(BILINEAR) (and with it torchvision on PIL images).
Image resize_bilinear(const Image& image, int height, int width);

/// The size that `extent` asks for: HxW as given, or the short side N and the long side
/// floor(N * long / short), torchvision's rule.
Extent resized_extent(const Image& image, Extent extent);

/// The centre; offsets round((size - crop) / 2), ties to even, torchvision's rule. Throws
/// Error(kData) when the picture is smaller.
Image center_crop(const Image& image, Extent extent);

/// Pixels to binary32 by the formulas of Preprocess.
class Normalizer {
 public:
  Normalizer() = default;
  /// Throws Error(kUsage) when mean or std do not suit `channels`.
  Normalizer(const Spec& spec, int channels);
  /// True when pixels stay what they are.
  bool is_identity() const { return table_.empty(); }
  /// Writes the picture, grey repeated where channels() is 3, as CxHxW or HxWxC.
  void apply(const Image& image, bool channels_last, std::span<float> out) const;
  void copy(const Image& image, bool channels_last, std::span<uint8_t> out) const;

 private:
  int channels_ = 3;
  bool bgr_ = false;
  std::vector<float> table_;  // [channel][pixel]; empty: pixels stay what they are
};

}  // namespace nibble::data
