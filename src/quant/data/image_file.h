#pragma once

#include <string>

#include "quant/data/source.h"

namespace nibble::data {

/// True when the first bytes are those of a JPEG or a PNG.
bool is_image_file(std::span<const std::byte> head);

/// Decodes a JPEG (libjpeg: accurate integer DCT, smooth upsampling, what Pillow does too) or a PNG
/// (8 bits a channel; 16-bit samples keep their high byte, palettes are looked up, transparency is
/// dropped) to grey or RGB. A file that is cut off or damaged is an error, not a half-grey picture.
/// Throws Error(kData) naming the file.
Image decode_image_file(const std::string& path);

}  // namespace nibble::data
