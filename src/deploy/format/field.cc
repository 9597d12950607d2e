#include "deploy/format/field.h"

namespace nibble::format {
namespace {

constexpr int kVector = 64;
constexpr int kVectorsPerTile = 16;

}  // namespace

void pack_field(int width, int shift, const uint8_t* codes, std::byte* out) {
  const int per_byte = 8 / width;
  const unsigned mask = (1u << width) - 1;
  for (int i = 0; i < kVectorsPerTile / per_byte; ++i, out += kVector) {
    for (int j = 0; j < kVector; ++j) {
      unsigned byte = 0;
      for (int h = 0; h < per_byte; ++h)
        byte |= (codes[(i * per_byte + h) * kVector + j] >> shift & mask) << (h * width);
      out[j] = static_cast<std::byte>(byte);
    }
  }
}

void unpack_field(int width, int shift, const std::byte* in, uint8_t* codes) {
  const int per_byte = 8 / width;
  const unsigned mask = (1u << width) - 1;
  for (int i = 0; i < kVectorsPerTile / per_byte; ++i, in += kVector)
    for (int h = 0; h < per_byte; ++h, codes += kVector)
      for (int j = 0; j < kVector; ++j) {
        const unsigned field = static_cast<unsigned>(in[j]) >> (h * width) & mask;
        codes[j] = static_cast<uint8_t>(codes[j] | field << shift);
      }
}

}  // namespace nibble::format
