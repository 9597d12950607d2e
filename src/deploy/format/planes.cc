#include "deploy/format/planes.h"

#include <cstring>

#include "deploy/format/field.h"

namespace nibble::format {
namespace {

constexpr int kTile = 1024;
constexpr int k1[] = {1}, k2[] = {2}, k3[] = {2, 1}, k4[] = {4};
constexpr int k5[] = {4, 1}, k6[] = {4, 2}, k7[] = {4, 2, 1};
constexpr std::span<const int> kParts[] = {{}, k1, k2, k3, k4, k5, k6, k7};

}  // namespace

std::span<const int> parts_of(int bits) {
  return kParts[bits];
}

void pack_tile(int bits, const uint8_t* codes, std::byte* out) {
  if (bits == 8) {
    std::memcpy(out, codes, kTile);
    return;
  }
  int shift = bits;
  for (int part : parts_of(bits)) {
    shift -= part;
    pack_field(part, shift, codes, out);
    out += kTile / 8 * part;
  }
}

void unpack_tile(int bits, const std::byte* in, uint8_t* codes) {
  if (bits == 8) {
    std::memcpy(codes, in, kTile);
    return;
  }
  std::memset(codes, 0, kTile);
  int shift = bits;
  for (int part : parts_of(bits)) {
    shift -= part;
    unpack_field(part, shift, in, codes);
    in += kTile / 8 * part;
  }
}

}  // namespace nibble::format
