#pragma once

#include <cstddef>
#include <cstdint>

namespace nibble::format {

/// field4, field2, field1: codes of a width b that divides 8, b in {4, 2, 1}.
///
/// Works on one tile of 16 vectors of 64 bytes, one code a byte (panel8.h, depthwise.h say which
/// codes). p = 8/b vectors share one packed vector: byte j, bits [h b, h b + b) of packed vector i
/// are byte j of vector i p + h, h = 0 .. p-1, low bits first. A tile takes 16/p packed vectors =
/// 128 b bytes.
/// Why: unpacking a vector is one shift right by h b (in 16-bit lanes: bits that cross a byte are
/// masked away) and one AND with 2^b - 1, no shuffle. Rejected: codes in their natural order within
/// a byte, which needs a shuffle and an interleave for every vector.

/// Packs bits [shift, shift + width) of 1024 codes into 128 * width bytes.
void pack_field(int width, int shift, const uint8_t* codes, std::byte* out);
/// ORs the fields, shifted left by `shift`, into 1024 codes.
void unpack_field(int width, int shift, const std::byte* in, uint8_t* codes);

}  // namespace nibble::format
