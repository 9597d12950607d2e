#pragma once

#include <cstddef>
#include <cstdint>

#include "deploy/format/format.h"

namespace nibble::format {

/// depthwise: weights of a depthwise convolution, [channels][kh][kw], one filter a channel.
///
/// Vectors of 64 bytes in the order [channels / 16][kh][ceil(kw / 3)]; byte 4 c + i of vector
/// (block, ky, j) is the code of channel 16 block + c at tap (ky, kx = 3 j + i), i = 0..2; byte
/// 4 c + 3 is 0. Padding (kx >= kw, channels past the last, byte 3) is code 0, not the offset code:
/// a kernel loads four neighbouring pixels a lane, and those outside the filter must not count
/// whatever they are; the offset is then subtracted over the real taps alone.
/// Widths below 8: the vectors in this order are cut into tiles of 16 (the last one filled up with
/// zero vectors), each stored by field.h / planes.h.
/// Why: three taps and a zero per 32-bit lane feed one dot-product instruction for 16 channels.
/// Rejected: channels innermost with one tap a vector (a multiply-add per tap, widening each).

constexpr int64_t depthwise_offset(const PackedRecord& r, int64_t channel, int64_t ky, int64_t kx) {
  const int64_t vector = (channel / kTileChannels * r.kh + ky) * ((r.kw + 2) / 3) + kx / 3;
  return vector * kVectorBytes + channel % kTileChannels * 4 + kx % 3;
}

/// Row-major [n][kh][kw] codes into / out of depthwise8_bytes(record) bytes.
void rows_to_depthwise(const PackedRecord& record, const uint8_t* rows, uint8_t* vectors);
void depthwise_to_rows(const PackedRecord& record, const uint8_t* vectors, uint8_t* rows);

}  // namespace nibble::format
