#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

// jpeglib.h needs size_t and FILE.
#include <cstddef>
#include <cstdio>
//
#include <jpeglib.h>

#include <cstdlib>

#include "quant/data/image_file.h"
#include "quant/data/testing.h"

namespace nibble::data {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

/// A JPEG of one colour (`components` 1, 3, or 4 for CMYK).
std::string jpeg(int height, int width, int components, uint8_t value) {
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_height = static_cast<JDIMENSION>(height);
  info.image_width = static_cast<JDIMENSION>(width);
  info.input_components = components;
  info.in_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_start_compress(&info, TRUE);
  std::vector<JSAMPLE> row(static_cast<size_t>(width * components), value);
  JSAMPROW line = row.data();
  for (int y = 0; y < height; ++y) jpeg_write_scanlines(&info, &line, 1);
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string text(reinterpret_cast<char*>(bytes), size);
  std::free(bytes);
  return text;
}

/// A PNG of 8-bit samples; colour type 0 grey, 2 RGB, 4 grey with alpha, 6 RGB with alpha.
std::string png(int height, int width, int colour_type, const std::string& samples) {
  const auto u32 = [](uint32_t v) {
    return std::string{char(v >> 24), char(v >> 16), char(v >> 8), char(v)};
  };
  const auto chunk = [&](const std::string& type, const std::string& data) {
    const std::string body = type + data;
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), uInt(body.size()));
    return u32(uint32_t(data.size())) + body + u32(uint32_t(crc));
  };
  std::string rows;
  const size_t row = samples.size() / size_t(height);
  for (size_t y = 0; y < size_t(height); ++y) rows += '\0' + samples.substr(y * row, row);
  std::string packed(compressBound(rows.size()), '\0');
  uLongf packed_size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &packed_size,
           reinterpret_cast<const Bytef*>(rows.data()), rows.size());
  packed.resize(packed_size);
  return "\x89PNG\r\n\x1a\n" +
         chunk("IHDR", u32(uint32_t(width)) + u32(uint32_t(height)) + '\x08' + char(colour_type) +
                           std::string(3, '\0')) +
         chunk("IDAT", packed) + chunk("IEND", "");
}

class Images : public FilesTest {
 protected:
  std::unique_ptr<Dataset> open(const std::string& spec, const std::vector<InputSpec>& in = {}) {
    return open_dataset(path(spec), in, Part::kTest);
  }
};

TEST_F(Images, PngChannels) {
  write("g.png", png(1, 2, 0, "\x01\x02"));
  write("ga.png", png(1, 1, 4, "\x05\x10"));
  write("rgb.png", png(1, 1, 2, "\x01\x02\x03"));
  write("rgba.png", png(2, 1, 6, "\x01\x02\x03\x04\x05\x06\x07\x08"));
  EXPECT_THAT(decode_image_file(path("g.png")).pixels, ElementsAre(1, 2));
  EXPECT_THAT(decode_image_file(path("ga.png")).pixels, ElementsAre(5));
  EXPECT_THAT(decode_image_file(path("rgb.png")).pixels, ElementsAre(1, 2, 3));
  const Image image = decode_image_file(path("rgba.png"));
  EXPECT_THAT(image.pixels, ElementsAre(1, 2, 3, 5, 6, 7));
  EXPECT_EQ(image.height, 2);
}

TEST_F(Images, JpegChannels) {
  write("g.jpg", jpeg(3, 5, 1, 90));
  write("c.jpg", jpeg(17, 9, 3, 200));
  write("cmyk.jpg", jpeg(8, 8, 4, 200));
  const Image grey = decode_image_file(path("g.jpg")), colour = decode_image_file(path("c.jpg"));
  EXPECT_EQ(grey.pixels, std::vector<uint8_t>(15, 90));
  EXPECT_EQ(colour.height, 17);
  EXPECT_EQ(colour.width, 9);
  EXPECT_EQ(colour.pixels, std::vector<uint8_t>(17 * 9 * 3, 200));
  EXPECT_THAT(error_of(ErrorKind::kData, [&] { decode_image_file(path("cmyk.jpg")); }),
              HasSubstr("cmyk.jpg: JPEG: "));
}

TEST_F(Images, EveryTruncationIsAnError) {
  for (const std::string& good : {jpeg(16, 16, 3, 77), png(4, 4, 2, std::string(48, 'x'))})
    // A PNG is whole once its picture data is: the closing chunk of 12 bytes may be missing; a JPEG
    // ends with a marker of two.
    for (size_t keep = 0; keep + 16 < good.size(); keep += 3) {
      write("cut", good.substr(0, keep));
      error_of(ErrorKind::kData, [&] { decode_image_file(path("cut")); });
    }
}

TEST_F(Images, FolderOfClassFolders) {
  write("d/dog/2.png", png(2, 2, 0, "dddd"));
  write("d/cat/b.png", png(2, 2, 0, "bbbb"));
  write("d/cat/a.jpg", png(2, 2, 0, "aaaa"));  // the content counts, not the name
  write("d/cat/readme.txt", "no picture");
  write("d/.hidden/x.png", png(2, 2, 0, "xxxx"));
  const auto d = open("d", one_input({kUnknownDim, 1, 2, 2}));
  EXPECT_EQ(d->describe(), "image folder (2 class folders), 3 images 1x2x2, labels");
  const Batch batch = d->read(0, 3);
  EXPECT_THAT(batch.labels, ElementsAre(0, 0, 1));
  EXPECT_EQ(batch.inputs[0].span<float>()[0], 'a');
  EXPECT_EQ(batch.inputs[0].span<float>()[8], 'd');
}

TEST_F(Images, NumbersNameClasses) {
  for (const char* name :
       {"f/10/x.png", "f/9/x.png", "n/0007.png", "n/0012.png", "u/7.png", "u/x.png"})
    write(name, png(1, 1, 2, "rgb"));
  EXPECT_THAT(open("f")->read(0, 2).labels, ElementsAre(10, 9));  // in the order of names
  EXPECT_THAT(open("n")->read(0, 2).labels, ElementsAre(7, 12));
  EXPECT_EQ(open("n")->describe(), "image folder (files named by class), 2 images 3x1x1, labels");
  EXPECT_FALSE(open("u")->has_labels());
  write("u/l.txt", "4 5");
  EXPECT_THAT(open("u@labels=l.txt")->read(0, 2).labels, ElementsAre(4, 5));
}

TEST_F(Images, SizesThatDifferNeedResizeOrCrop) {
  write("d/a.jpg", jpeg(20, 10, 3, 50));
  write("d/b.jpg", jpeg(10, 30, 1, 60));
  const std::vector<InputSpec> input = one_input({kUnknownDim, 3, 8, 8});
  EXPECT_THAT(error_of(ErrorKind::kData,
                       [&] {
                         open("d", one_input({kUnknownDim, 3, 20, 10}))->read(0, 2);
                       }),
              HasSubstr("b.jpg: picture of 10x30x1, expected 20x10x3"));
  const auto d = open("d@resize=9,crop=8", input);
  const Batch batch = d->read(0, 2);
  EXPECT_THAT(batch.inputs[0].span<float>().first(192), Each(50));
  EXPECT_THAT(batch.inputs[0].span<float>().last(192), Each(60));  // grey, repeated
  EXPECT_THAT(error_of(ErrorKind::kData, [&] { open("d@crop=15", {}); }),
              HasSubstr("a.jpg: picture of 20x10 is smaller than the crop 15x15"));
}

}  // namespace
}  // namespace nibble::data
