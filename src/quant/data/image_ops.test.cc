#include "quant/data/image_ops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quant/data/testing.h"

namespace nibble::data {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

/// 5x7 grey with steps, ties and extremes.
Image pattern() {
  Image image{5, 7, 1, {}};
  for (int i = 0; i < 35; ++i) image.pixels.push_back(static_cast<uint8_t>(i * i * 37 + i * 11));
  return image;
}

// Expected bytes: Pillow 13.0 Image.resize(..., BILINEAR) of the same picture.
TEST(Resize, EqualsPillowDownAndUp) {
  EXPECT_THAT(resize_bilinear(pattern(), 3, 4).pixels,
              ElementsAre(67, 119, 168, 168, 152, 127, 165, 191, 173, 114, 111, 166));
  EXPECT_THAT(resize_bilinear(pattern(), 5, 2).pixels,
              ElementsAre(85, 150, 127, 180, 139, 185, 152, 138, 129, 132));
  EXPECT_THAT(resize_bilinear(pattern(), 2, 7).pixels,
              ElementsAre(102, 97, 109, 160, 180, 169, 186, 168, 175, 118, 87, 119, 214, 149));
  EXPECT_THAT(resize_bilinear(pattern(), 1, 1).pixels, ElementsAre(144));
  EXPECT_THAT(resize_bilinear(pattern(), 9, 10).pixels,
              ElementsAreArray({0,   26,  79,  164, 131, 115, 128, 190, 170, 118, 33,  60,  93,
                                119, 139, 154, 165, 168, 167, 163, 87,  117, 115, 45,  152, 220,
                                226, 132, 161, 237, 160, 129, 100, 92,  151, 190, 203, 171, 185,
                                216, 238, 130, 76,  169, 145, 137, 159, 229, 217, 172, 197, 169,
                                145, 142, 113, 107, 131, 204, 194, 151, 160, 197, 198, 118, 85,
                                82,  108, 184, 176, 134, 143, 181, 185, 106, 76,  75,  104, 181,
                                176, 137, 132, 172, 177, 99,  71,  71,  102, 180, 176, 138}));
  EXPECT_EQ(resize_bilinear(pattern(), 5, 7).pixels, pattern().pixels);
}

TEST(Resize, ChannelsDoNotMix) {
  Image image{4, 4, 3, {}};
  for (int i = 0; i < 16; ++i)
    for (uint8_t v : {255, 0, 100}) image.pixels.push_back(v);
  for (int size : {1, 3, 9}) {
    const Image out = resize_bilinear(image, size, size);
    ASSERT_EQ(out.pixels.size(), static_cast<size_t>(3 * size * size));
    for (size_t i = 0; i < out.pixels.size(); i += 3) {
      EXPECT_EQ(out.pixels[i], 255);
      EXPECT_EQ(out.pixels[i + 1], 0);
      EXPECT_EQ(out.pixels[i + 2], 100);
    }
  }
}

TEST(Resize, ShortSideKeepsTheAspect) {
  const auto size = [](int h, int w, Extent e) {
    const Extent r = resized_extent(Image{h, w, 1, {}}, e);
    return std::pair(r.height, r.width);
  };
  EXPECT_EQ(size(224, 224, {96, 0}), std::pair(96, 96));
  EXPECT_EQ(size(300, 401, {256, 0}), std::pair(256, 342));  // 342.18 down
  EXPECT_EQ(size(401, 300, {256, 0}), std::pair(342, 256));
  EXPECT_EQ(size(401, 300, {20, 30}), std::pair(20, 30));
}

TEST(Crop, CentreWithOffsetsRoundedHalfToEven) {
  Image image{1, 8, 1, {0, 1, 2, 3, 4, 5, 6, 7}};
  EXPECT_THAT(center_crop(image, {1, 4}).pixels, ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(center_crop(image, {1, 7}).pixels, ElementsAre(0, 1, 2, 3, 4, 5, 6));  // 0.5 -> 0
  EXPECT_THAT(center_crop(image, {1, 5}).pixels, ElementsAre(2, 3, 4, 5, 6));        // 1.5 -> 2
  EXPECT_THAT(center_crop(image, {1, 3}).pixels, ElementsAre(2, 3, 4));              // 2.5 -> 2
  error_of(ErrorKind::kData, [&] { center_crop(image, {2, 2}); });
}

std::vector<float> normalized(const std::string& keys, bool channels_last = false) {
  const Spec spec = parse_spec("x" + keys);
  const Image image{1, 2, 3, {0, 100, 255, 7, 1, 2}};
  std::vector<float> out(6);
  Normalizer(spec, 3).apply(image, channels_last, out);
  return out;
}

TEST(Normalize, FormulasAsWrittenInBinary32) {
  EXPECT_THAT(normalized(""), ElementsAre(0, 7, 100, 1, 255, 2));
  EXPECT_THAT(normalized("", true), ElementsAre(0, 100, 255, 7, 1, 2));
  EXPECT_THAT(normalized("@preprocess=unit"),
              ElementsAre(0, 7 / 255.0f, 100 / 255.0f, 1 / 255.0f, 1, 2 / 255.0f));
  EXPECT_THAT(normalized("@preprocess=tf"),
              ElementsAre(-1, 7 / 127.5f - 1, 100 / 127.5f - 1, 1 / 127.5f - 1, 1, 2 / 127.5f - 1));
  EXPECT_EQ(normalized("@preprocess=imagenet")[2], (100 / 255.0f - 0.456f) / 0.224f);
  EXPECT_THAT(normalized("@preprocess=caffe"), ElementsAre(151, -102, -17, -116, -123, -116));
}

TEST(Normalize, OwnMeanAndStdAreTheNamedOnes) {
  EXPECT_EQ(normalized("@preprocess=unit,mean=0.485:0.456:0.406,std=0.229:0.224:0.225"),
            normalized("@preprocess=imagenet"));
  EXPECT_EQ(normalized("@bgr=1,mean=104:117:123"), normalized("@preprocess=caffe"));
  EXPECT_EQ(normalized("@mean=3,std=2"), normalized("@mean=3:3:3,std=2:2:2"));
}

TEST(Normalize, GreyRepeatsAndColourKeysNeedColour) {
  const Spec spec = parse_spec("x@preprocess=unit");
  const Image grey{1, 1, 1, {51}};
  std::vector<float> out(3);
  Normalizer(spec, 3).apply(grey, false, out);
  EXPECT_THAT(out, ElementsAre(0.2f, 0.2f, 0.2f));
  for (const char* keys : {"x@bgr=1", "x@preprocess=imagenet", "x@mean=1:2:3"})
    error_of(ErrorKind::kUsage, [&] { Normalizer(parse_spec(keys), 1); });
}

}  // namespace
}  // namespace nibble::data
