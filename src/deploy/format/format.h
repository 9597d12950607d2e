#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "deploy/base/status.h"

namespace nibble::format {

/// Packed weight layouts (formats.inc; prose in docs/formats/). Stored in .nbl files: never
/// renumber.
enum class FormatId : uint8_t {
  kPlain = 0,     // row-major, one container element a code; no record
  kPanel8 = 1,    // 8-bit codes in panels of 32 channels
  kField = 2,     // 4, 2 or 1 bit fields over the panel order
  kPlanes = 3,    // 3, 5, 6, 7 bits: parts of 4, 2, 1 bits, high part first
  kDepthwise = 4  // three taps and a zero per channel; narrower widths by the field/planes rule
                  // over those vectors
};

/// What a packed stream holds. The logical matrix of a matmul format is [groups][n][k], k = (kh,
/// kw, C_pad) for a convolution with C innermost; of kDepthwise it is [channels = n][kh][kw].
/// Stored codes are unsigned: u = q + offset, offset = 2^(bits-1) for signed grids, 0 for unsigned
/// ones.
struct PackedRecord {
  FormatId format = FormatId::kPlain;
  uint8_t version = 1;
  uint8_t bits = 8;
  int32_t offset = 128;
  int64_t groups = 1;
  int64_t n = 0;  // output channels a group
  int64_t k = 0;  // reduction length as stored: kh * kw * c_pad (before padding to 64)
  int64_t kh = 1, kw = 1;
  int64_t c = 0;      // input channels a group
  int64_t c_pad = 0;  // input channels as stored
  friend bool operator==(const PackedRecord&, const PackedRecord&) = default;
};

}  // namespace nibble::format
