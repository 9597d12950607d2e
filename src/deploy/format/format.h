#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "deploy/base/status.h"

namespace nibble::format {

/// Packed weight layouts (formats.inc; prose in panel8.h, field.h, planes.h, depthwise.h and
/// docs/formats/).
enum class FormatId : uint8_t {
#define NIBBLE_FORMAT(id, number, name, summary) id = number,
#include "deploy/format/formats.inc"
#undef NIBBLE_FORMAT
};

/// What a packed stream holds. The logical matrix of a matmul format is [groups][n][k], k = (kh,
/// kw, c_pad) with c innermost (a Gemm: kh = kw = 1, c = K); of kDepthwise it is [n][kh][kw].
/// Stored codes are unsigned: q = spacing u - offset, offset = 2^(bits-1) for signed grids, 0 for
/// unsigned ones, 1 for ternary ones (codes -1, 0, +1 in two bits: u = 3 is illegal), all of
/// spacing 1; binary ones (codes -1, +1 in one bit) have spacing 2 and offset 1. Padding of a
/// matmul format (channels c..c_pad of a tap, k up to 64, n up to the panel) holds u = offset, so
/// it adds nothing to sum (u - offset) x; that of binary codes is no zero and asks for padded x of
/// 0. Padding of kDepthwise holds code 0.
struct PackedRecord {
  FormatId format = FormatId::kPlain;
  uint8_t version = 1;  // 2: spacing is not 1
  uint8_t bits = 8;
  uint8_t spacing = 1;
  int32_t offset = 128;
  int64_t groups = 1;
  int64_t n = 0;  // output channels a group
  int64_t k = 0;  // reduction length as stored: kh * kw * c_pad (before padding to 64)
  int64_t kh = 1, kw = 1;
  int64_t c = 0;      // input channels a group; kw times as many where taps are joined (kw 1)
  int64_t c_pad = 0;  // input channels as stored: c rounded up to 4 (1 for kDepthwise)
  friend bool operator==(const PackedRecord&, const PackedRecord&) = default;
};

inline constexpr int64_t kVectorBytes = 64;
inline constexpr int64_t kTileChannels = 16;   // a tile: 16 channels x 64 k = 16 vectors
inline constexpr int64_t kPanelChannels = 32;  // a panel: two tiles side by side
inline constexpr int64_t kStep = 64;           // k of one tile
inline constexpr int64_t kTileBytes = kTileChannels * kStep;
inline constexpr int64_t kChannelMultiple = 4;  // c_pad: a 32-bit lane holds four k of one tap

constexpr int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}
/// Reduction length with its padding.
constexpr int64_t padded_k(const PackedRecord& r) {
  return round_up(r.k, kStep);
}
/// Channels a group as stored in a stream: whole panels; with groups, whole tiles (the last panel
/// of a group may be one tile wide).
constexpr int64_t padded_n(const PackedRecord& r) {
  return round_up(r.n, r.groups == 1 ? kPanelChannels : kTileChannels);
}
/// Vectors of kDepthwise at 8 bits: [n/16][kh][ceil(kw/3)].
constexpr int64_t depthwise_vectors(const PackedRecord& r) {
  return round_up(r.n, kTileChannels) / kTileChannels * r.kh * ((r.kw + 2) / 3);
}

/// Bytes of the stream of a valid record; a multiple of 64. 0 for kPlain.
constexpr size_t packed_bytes(const PackedRecord& r) {
  const auto tile = static_cast<size_t>(kTileBytes / 8 * r.bits);
  switch (r.format) {
    case FormatId::kPlain:
      return 0;
    case FormatId::kPanel8:
    case FormatId::kField:
    case FormatId::kPlanes:
      return static_cast<size_t>(r.groups * (padded_n(r) / kTileChannels) * (padded_k(r) / kStep)) *
             tile;
    case FormatId::kDepthwise: {
      const int64_t vectors = depthwise_vectors(r);
      if (r.bits == 8) return static_cast<size_t>(vectors * kVectorBytes);
      return static_cast<size_t>(round_up(vectors, 16) / 16) * tile;
    }
  }
  return 0;
}

/// Bytes of what unpack_to_panel8 makes: [groups][round_up(n, 32)][padded_k].
constexpr size_t panel8_bytes(const PackedRecord& r) {
  return static_cast<size_t>(r.groups * round_up(r.n, kPanelChannels) * padded_k(r));
}
/// Bytes of the working copy that unpack_depthwise_to_8 makes; at 8 bits the stream itself.
constexpr size_t depthwise8_bytes(const PackedRecord& r) {
  return static_cast<size_t>(depthwise_vectors(r) * kVectorBytes);
}
/// Codes without padding: groups n kh kw c.
constexpr int64_t code_count(const PackedRecord& r) {
  return r.groups * r.n * r.kh * r.kw * r.c;
}

/// The record of a matmul or convolution weight [groups][n][kh][kw][c]; the width picks the format.
/// bits 1..8, dimensions >= 1.
PackedRecord make_record(int bits, bool is_signed, int64_t groups, int64_t n, int64_t kh,
                         int64_t kw, int64_t c);
/// The record of a depthwise weight [channels][kh][kw].
PackedRecord make_depthwise_record(int bits, bool is_signed, int64_t channels, int64_t kh,
                                   int64_t kw);

/// The same record for codes -1, 0, +1 (of a 2-bit one), or -1, +1 (of a 1-bit one).
PackedRecord as_ternary(PackedRecord record);
PackedRecord as_binary(PackedRecord record);
/// The taps along kw joined with the channels into one run of kw c, where channels are so few that
/// padding every tap would cost more (a first layer: one group, c < 4, runs of up to
/// kMostJoinedTaps). Codes keep their order. Other records come back as they are.
PackedRecord with_joined_taps(PackedRecord record);
inline constexpr int64_t kMostJoinedTaps = 48;

/// Whether a record from a file is one that this build reads, with dimensions that do not overflow.
/// kUnsupported: unknown format or version; kCorrupt: contradicts itself.
Status check(const PackedRecord& record);

/// kCorrupt naming the byte where a stream holds a code that its record has not: u = 3 of ternary
/// weights. Reads the whole stream of those, nothing of others.
Status check_codes(const PackedRecord& record, std::span<const std::byte> stream);

/// Packs the codes u, row-major [groups][n][kh][kw][c], into packed_bytes(record) bytes.
void pack(const PackedRecord& record, std::span<const uint8_t> codes, std::span<std::byte> out);
/// The inverse: code_count(record) codes, row-major.
void unpack_to_rows(const PackedRecord& record, const std::byte* stream, std::span<uint8_t> codes);
/// A matmul stream of any width as bytes u in panel8 order with whole 32-channel panels in every
/// group; `panel8` has panel8_bytes(record) bytes. Same offset; padding as in the file.
void unpack_to_panel8(const PackedRecord& record, const std::byte* stream, std::byte* panel8);
/// A kDepthwise stream of any width as one byte a code; `vectors` has depthwise8_bytes(record)
/// bytes.
void unpack_depthwise_to_8(const PackedRecord& record, const std::byte* stream, std::byte* vectors);

std::string_view name_of(FormatId format);

}  // namespace nibble::format
