#include "quant/data/image_ops.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

/// One number for all channels, or one each.
std::vector<float> per_channel(const std::vector<float>& given, int channels, const Spec& spec,
                               const char* key) {
  if (given.empty() || static_cast<int>(given.size()) == channels) return given;
  if (given.size() == 1) return std::vector<float>(static_cast<size_t>(channels), given[0]);
  throw Error(ErrorKind::kUsage, "data spec '" + spec.text + "': " + key + "= has " +
                                     std::to_string(given.size()) + " numbers, the images have " +
                                     std::to_string(channels) + " channel(s)");
}

}  // namespace

Normalizer::Normalizer(const Spec& spec, int channels) : channels_(channels), bgr_(spec.bgr) {
  std::vector<float> mean = spec.mean, std = spec.std;
  Preprocess scaling = spec.preprocess.value_or(Preprocess::kNone);
  if (scaling == Preprocess::kImagenet) {
    scaling = Preprocess::kUnit;
    mean = {0.485f, 0.456f, 0.406f};
    std = {0.229f, 0.224f, 0.225f};
  } else if (scaling == Preprocess::kCaffe) {
    scaling = Preprocess::kNone;
    bgr_ = true;
    mean = {104, 117, 123};
  }
  mean = per_channel(mean, channels, spec, "mean");
  std = per_channel(std, channels, spec, "std");
  if (bgr_ && channels != 3)
    throw Error(ErrorKind::kUsage, "data spec '" + spec.text + "': bgr needs 3 channels, found " +
                                       std::to_string(channels));
  if (scaling == Preprocess::kNone && mean.empty() && std.empty()) return;
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c)
    for (int pixel = 0; pixel < 256; ++pixel) {
      float x = static_cast<float>(pixel);
      if (scaling == Preprocess::kUnit) x = x / 255.0f;
      if (scaling == Preprocess::kTf) x = x / 127.5f - 1.0f;
      if (!mean.empty()) x = x - mean[c];
      if (!std.empty()) x = x / std[c];
      table_.push_back(x);
    }
}

namespace {

/// Calls put(index in the output, pixel, channel) for every element of the output.
template <class Put>
void for_each_pixel(const Image& image, int channels, bool bgr, bool channels_last, Put put) {
  const size_t pixels = static_cast<size_t>(image.height) * static_cast<size_t>(image.width);
  for (int c = 0; c < channels; ++c) {
    // Grey pictures repeat their one channel.
    const int from = image.channels == 1 ? 0 : bgr ? channels - 1 - c : c;
    for (size_t i = 0; i < pixels; ++i) {
      const size_t to = channels_last ? i * static_cast<size_t>(channels) + static_cast<size_t>(c)
                                      : static_cast<size_t>(c) * pixels + i;
      const size_t at = i * static_cast<size_t>(image.channels) + static_cast<size_t>(from);
      put(to, image.pixels[at], c);
    }
  }
}

}  // namespace

void Normalizer::apply(const Image& image, bool channels_last, std::span<float> out) const {
  for_each_pixel(image, channels_, bgr_, channels_last, [&](size_t to, uint8_t pixel, int c) {
    out[to] =
        is_identity() ? static_cast<float>(pixel) : table_[static_cast<size_t>(c) * 256 + pixel];
  });
}

void Normalizer::copy(const Image& image, bool channels_last, std::span<uint8_t> out) const {
  for_each_pixel(image, channels_, bgr_, channels_last,
                 [&](size_t to, uint8_t pixel, int) { out[to] = pixel; });
}

}  // namespace nibble::data
