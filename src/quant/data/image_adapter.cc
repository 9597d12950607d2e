#include <cstring>

#include "quant/data/adapter.h"
#include "quant/data/image_ops.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

class ImageAdapter final : public Adapter {
 public:
  ImageAdapter(const Spec& spec, Source& source, const std::vector<InputSpec>& wanted)
      : spec_(spec), source_(source.format()) {
    const Image first = picture(source, 0);
    height_ = first.height;
    width_ = first.width;
    if (wanted.empty())
      choose_natural(first);
    else
      choose_for(first, wanted, source.file_of(0));
  }

  void read(Source& source, int64_t index, std::span<const std::span<std::byte>> out) override {
    const Image image = picture(source, index);
    if (image.height != height_ || image.width != width_ ||
        (image.channels != channels_ && image.channels != 1))
      throw Error(ErrorKind::kData,
                  "picture of " + describe(image) + ", expected " + std::to_string(height_) + "x" +
                      std::to_string(width_) + "x" + std::to_string(channels_) +
                      " like the first (resize= and crop= make pictures equal)",
                  source.file_of(index));
    const size_t count = size_t(height_) * size_t(width_) * size_t(channels_);
    if (inputs_[0].dtype == DType::kU8)
      normalizer_.copy(image, channels_last_, {reinterpret_cast<uint8_t*>(out[0].data()), count});
    else
      normalizer_.apply(image, channels_last_, {reinterpret_cast<float*>(out[0].data()), count});
  }

 private:
  static std::string describe(const Image& image) {
    return std::to_string(image.height) + "x" + std::to_string(image.width) + "x" +
           std::to_string(image.channels);
  }

  Image picture(Source& source, int64_t index) const {
    Image image = source.read_image(index);
    if (spec_.resize) {
      const Extent size = resized_extent(image, *spec_.resize);
      image = resize_bilinear(image, size.height, size.width);
    }
    if (!spec_.crop) return image;
    try {
      return center_crop(image, *spec_.crop);
    } catch (const Error& error) {
      throw Error(error.kind, error.message, source.file_of(index));
    }
  }

  Shape sample(int channels, bool channels_last) const {
    return channels_last ? Shape{height_, width_, channels} : Shape{channels, height_, width_};
  }

  void choose_natural(const Image& first) {
    channels_ = first.channels;
    normalizer_ = Normalizer(spec_, channels_);
    inputs_ = {{"input", normalizer_.is_identity() ? DType::kU8 : DType::kF32,
                batched(sample(channels_, false))}};
  }

  void choose_for(const Image& first, const std::vector<InputSpec>& wanted,
                  const std::string& file) {
    if (wanted.size() != 1)
      throw Error(ErrorKind::kData,
                  source_ + " fills one input, the model has " + std::to_string(wanted.size()),
                  file);
    const InputSpec& input = wanted[0];
    const Shape shape = choose_shape(first, input, file);
    normalizer_ = Normalizer(spec_, channels_);
    if (input.dtype != DType::kF32 && !(input.dtype == DType::kU8 && normalizer_.is_identity()))
      throw Error(ErrorKind::kData,
                  source_ + " gives f32" + (normalizer_.is_identity() ? " or u8" : "") +
                      ", input '" + input.name + "' takes " + std::string(name_of(input.dtype)),
                  file);
    inputs_ = {{input.name, input.dtype, batched(shape)}};
  }

  /// CxHxW before HxWxC, the picture's own channels before grey repeated three times, at last a
  /// grey picture without its channel dimension or flat.
  Shape choose_shape(const Image& first, const InputSpec& input, const std::string& file) {
    for (int channels : {first.channels, 3})
      for (bool last : {false, true})
        if (fits(sample(channels, last), input.shape)) {
          channels_ = channels;
          channels_last_ = last;
          return sample(channels, last);
        }
    channels_ = first.channels;
    if (first.channels == 1)
      for (const Shape& shape : {Shape{height_, width_}, Shape{int64_t{height_} * width_}})
        if (fits(shape, input.shape)) return shape;
    std::string fix;
    if (input.shape.rank() == 4) {
      const int64_t height = input.shape[2] > 3 ? input.shape[2] : input.shape[1];
      if (height > 3)
        fix = "resize=" + std::to_string(height) + " or crop=" + std::to_string(height);
    }
    throw Error(ErrorKind::kData,
                "images are " + to_string(sample(first.channels, false)) + " (as HxWxC " +
                    to_string(sample(first.channels, true)) + "), input '" + input.name + "' is " +
                    to_string(input.shape),
                file, {}, fix);
  }

  Spec spec_;
  std::string source_;
  Normalizer normalizer_;
  int height_ = 0, width_ = 0, channels_ = 0;
  bool channels_last_ = false;
};

}  // namespace

Shape batched(const Shape& shape) {
  Shape batch{kUnknownDim};
  for (int64_t dim : shape.dims()) batch.push_back(dim);
  return batch;
}

bool fits(const Shape& sample, const Shape& batch) {
  if (batch.rank() != sample.rank() + 1) return false;
  for (int i = 0; i < sample.rank(); ++i)
    if (batch[i + 1] != sample[i] && batch[i + 1] != kUnknownDim) return false;
  return true;
}

std::unique_ptr<Adapter> make_image_adapter(const Spec& spec, Source& source,
                                            const std::vector<InputSpec>& wanted) {
  return std::make_unique<ImageAdapter>(spec, source, wanted);
}

}  // namespace nibble::data
