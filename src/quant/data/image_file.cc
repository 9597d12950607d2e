#include "quant/data/image_file.h"

// jpeglib.h needs FILE and size_t declared before it.
#include <cstddef>
#include <cstdio>
//
#include <jpeglib.h>

#include <csetjmp>

#include "quant/data/file.h"
#include "quant/graph/error.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_FAILURE_STRINGS
#define STBI_MAX_DIMENSIONS 65535
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace nibble::data {
namespace {

constexpr int64_t kMaxImageFile = int64_t{1} << 30;
constexpr int64_t kMaxPixels = int64_t{1} << 28;

bool starts_with(std::span<const std::byte> bytes, std::initializer_list<uint8_t> magic) {
  size_t i = 0;
  for (uint8_t m : magic)
    if (i >= bytes.size() || bytes[i++] != std::byte{m}) return false;
  return true;
}
bool is_jpeg(std::span<const std::byte> head) {
  return starts_with(head, {0xff, 0xd8, 0xff});
}
bool is_png(std::span<const std::byte> head) {
  return starts_with(head, {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
}

/// libjpeg's error handler may not return: it jumps back to decode_jpeg.
struct JpegErrors {
  jpeg_error_mgr manager;  // first: libjpeg sees only this part
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

void jpeg_fail(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  errors->manager.format_message(info, errors->message);
  std::longjmp(errors->jump, 1);
}

void jpeg_message(j_common_ptr info, int level) {
  // Level -1 is damaged data ("premature end of file"): libjpeg would go on with grey pixels.
  if (level < 0) jpeg_fail(info);
}

/// False with errors.message set. No object with a destructor lives in this frame: longjmp skips
/// them.
bool decode_jpeg(std::span<const std::byte> bytes, JpegErrors& errors, Image& image) {
  jpeg_decompress_struct jpeg;
  jpeg.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = jpeg_fail;
  errors.manager.emit_message = jpeg_message;
  jpeg_create_decompress(&jpeg);
  if (setjmp(errors.jump)) {
    jpeg_destroy_decompress(&jpeg);
    return false;
  }
  jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(bytes.data()),
               static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&jpeg, TRUE);
  const bool grey = jpeg.jpeg_color_space == JCS_GRAYSCALE;
  jpeg.out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
  jpeg.dct_method = JDCT_ISLOW;
  if (int64_t{jpeg.image_height} * jpeg.image_width > kMaxPixels) {
    std::snprintf(errors.message, sizeof(errors.message), "more than 2^28 pixels");
    jpeg_destroy_decompress(&jpeg);
    return false;
  }
  jpeg_start_decompress(&jpeg);
  image.height = static_cast<int>(jpeg.output_height);
  image.width = static_cast<int>(jpeg.output_width);
  image.channels = jpeg.output_components;
  const size_t row = size_t{jpeg.output_width} * static_cast<size_t>(image.channels);
  image.pixels.resize(row * jpeg.output_height);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW line = image.pixels.data() + row * jpeg.output_scanline;
    jpeg_read_scanlines(&jpeg, &line, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return true;
}

bool decode_png(std::span<const std::byte> bytes, Image& image) {
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  const int size = static_cast<int>(bytes.size());
  int width = 0, height = 0, channels = 0;
  if (!stbi_info_from_memory(data, size, &width, &height, &channels) ||
      int64_t{width} * height > kMaxPixels)
    return false;
  const int wanted = channels <= 2 ? 1 : 3;  // without alpha
  stbi_uc* pixels = stbi_load_from_memory(data, size, &width, &height, &channels, wanted);
  if (!pixels) return false;
  const size_t count =
      static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(wanted);
  image = {height, width, wanted, std::vector<uint8_t>(pixels, pixels + count)};
  stbi_image_free(pixels);
  return true;
}

}  // namespace

bool is_image_file(std::span<const std::byte> head) {
  return is_jpeg(head) || is_png(head);
}

Image decode_image_file(const std::string& path) {
  const std::vector<std::byte> bytes = read_whole(path, kMaxImageFile);
  Image image;
  if (is_jpeg(bytes)) {
    JpegErrors errors{};
    if (!decode_jpeg(bytes, errors, image))
      throw Error(ErrorKind::kData, std::string("JPEG: ") + errors.message, path);
  } else if (is_png(bytes)) {
    if (!decode_png(bytes, image))
      throw Error(ErrorKind::kData, "PNG that is damaged, cut off or too large", path);
  } else {
    throw Error(ErrorKind::kData, "neither a JPEG nor a PNG", path);
  }
  return image;
}

}  // namespace nibble::data
