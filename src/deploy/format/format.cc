#include "deploy/format/format.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string>
#include <vector>

#include "deploy/format/depthwise.h"
#include "deploy/format/panel8.h"
#include "deploy/format/planes.h"

namespace nibble::format {
namespace {

uint8_t* as_codes(std::byte* p) {
  return reinterpret_cast<uint8_t*>(p);
}

FormatId format_of_width(int bits) {
  if (bits == 8) return FormatId::kPanel8;
  return bits == 4 || bits == 2 || bits == 1 ? FormatId::kField : FormatId::kPlanes;
}

int64_t tile_bytes(int bits) {
  return kTileBytes / 8 * bits;
}

}  // namespace

std::string_view name_of(FormatId format) {
  switch (format) {
#define NIBBLE_FORMAT(id, number, name, summary) \
  case FormatId::id:                             \
    return name;
#include "deploy/format/formats.inc"
#undef NIBBLE_FORMAT
  }
  return "?";
}

PackedRecord make_record(int bits, bool is_signed, int64_t groups, int64_t n, int64_t kh,
                         int64_t kw, int64_t c) {
  assert(bits >= 1 && bits <= 8);
  PackedRecord r;
  r.format = format_of_width(bits);
  r.bits = static_cast<uint8_t>(bits);
  r.offset = is_signed ? 1 << (bits - 1) : 0;
  r.groups = groups;
  r.n = n;
  r.kh = kh;
  r.kw = kw;
  r.c = c;
  r.c_pad = round_up(c, kChannelMultiple);
  r.k = kh * kw * r.c_pad;
  return r;
}

PackedRecord with_joined_taps(PackedRecord record) {
  if (record.groups != 1 || record.c >= kChannelMultiple || record.kw == 1 ||
      record.kw > kMostJoinedTaps / record.c)
    return record;
  record.c *= record.kw;
  record.kw = 1;
  record.c_pad = round_up(record.c, kChannelMultiple);
  record.k = record.kh * record.c_pad;
  return record;
}

PackedRecord as_ternary(PackedRecord record) {
  assert(record.bits == 2);
  record.offset = 1;
  return record;
}

PackedRecord as_binary(PackedRecord record) {
  assert(record.bits == 1);
  record.version = 2;
  record.spacing = 2;
  record.offset = 1;
  return record;
}

PackedRecord make_depthwise_record(int bits, bool is_signed, int64_t channels, int64_t kh,
                                   int64_t kw) {
  PackedRecord r = make_record(bits, is_signed, 1, channels, kh, kw, 1);
  r.format = FormatId::kDepthwise;
  r.c_pad = 1;
  r.k = kh * kw;
  return r;
}

Status check(const PackedRecord& r) {
  // 2^40 codes with padding: far above any model, far below overflow.
  constexpr int64_t kMaxCodes = int64_t{1} << 40;
  switch (r.format) {
    case FormatId::kPanel8:
    case FormatId::kField:
    case FormatId::kPlanes:
    case FormatId::kDepthwise:
      break;
    case FormatId::kPlain:
      return corrupt("packed record of format plain; expected a packed format");
    default:
      return unsupported("unknown packed format " + std::to_string(static_cast<int>(r.format)));
  }
  const std::string name(name_of(r.format));
  if (r.version != 1 && r.version != 2)
    return unsupported(name + " version " + std::to_string(r.version) +
                       "; this build reads 1 and 2");
  if (r.bits < 1 || r.bits > 8)
    return corrupt(name + " of " + std::to_string(r.bits) + " bits; expected 1 to 8");
  const bool depthwise = r.format == FormatId::kDepthwise;
  if (!depthwise && r.format != format_of_width(r.bits))
    return corrupt(name + " of " + std::to_string(r.bits) + " bits; that width is stored as " +
                   std::string(name_of(format_of_width(r.bits))));
  if (r.spacing != r.version || (r.spacing == 2 && (r.bits != 1 || r.offset != 1)))
    return corrupt(name + " version " + std::to_string(r.version) + " of " +
                   std::to_string(r.bits) + " bits with spacing " + std::to_string(r.spacing) +
                   " and offset " + std::to_string(r.offset) +
                   "; expected spacing 1, or version 2 of 1 bit with spacing 2 and offset 1");
  const bool ternary = r.bits == 2 && r.offset == 1;
  if (r.offset != 0 && r.offset != 1 << (r.bits - 1) && !ternary)
    return corrupt(name + " offset " + std::to_string(r.offset) + "; expected 0 or " +
                   std::to_string(1 << (r.bits - 1)));
  int64_t codes = 1;
  for (int64_t dim : {r.groups, r.n, r.kh, r.kw, r.c}) {
    if (dim < 1 || dim > kMaxCodes / codes)
      return corrupt(name + " dimension " + std::to_string(dim) +
                     "; expected at least 1 and at most 2^40 codes");
    codes *= dim;
  }
  const int64_t c_pad = depthwise ? 1 : round_up(r.c, kChannelMultiple);
  if (depthwise && (r.groups != 1 || r.c != 1))
    return corrupt("depthwise record with groups " + std::to_string(r.groups) + " and c " +
                   std::to_string(r.c) + "; expected 1 and 1");
  if (r.c_pad != c_pad || r.k != r.kh * r.kw * c_pad)
    return corrupt(name + " k " + std::to_string(r.k) + ", c_pad " + std::to_string(r.c_pad) +
                   "; expected " + std::to_string(r.kh * r.kw * c_pad) + ", " +
                   std::to_string(c_pad));
  return {};
}

Status check_codes(const PackedRecord& r, std::span<const std::byte> stream) {
  if (r.bits != 2 || r.offset != 1) return {};
  for (size_t i = 0; i < stream.size(); ++i) {
    const auto byte = static_cast<unsigned>(stream[i]);
    if (byte & byte >> 1 & 0x55)
      return corrupt("ternary code 3 in byte " + std::to_string(i) + "; expected 0, 1 or 2");
  }
  return {};
}

void pack(const PackedRecord& record, std::span<const uint8_t> codes, std::span<std::byte> out) {
  assert(static_cast<int64_t>(codes.size()) == code_count(record));
  assert(out.size() == packed_bytes(record));
  const bool depthwise = record.format == FormatId::kDepthwise;
  // The order at one byte a code first, then tile by tile to the width.
  const auto tiles = static_cast<int64_t>(out.size()) / tile_bytes(record.bits);
  std::vector<uint8_t> wide(record.bits == 8 ? 0 : static_cast<size_t>(tiles * kTileBytes));
  uint8_t* order = record.bits == 8 ? as_codes(out.data()) : wide.data();
  if (depthwise)
    rows_to_depthwise(record, codes.data(), order);
  else
    rows_to_panel8(record, padded_n(record), codes.data(), order);
  if (record.bits == 8) return;
  for (int64_t t = 0; t < tiles; ++t)
    pack_tile(record.bits, order + t * kTileBytes, out.data() + t * tile_bytes(record.bits));
}

void unpack_to_rows(const PackedRecord& record, const std::byte* stream, std::span<uint8_t> codes) {
  assert(static_cast<int64_t>(codes.size()) == code_count(record));
  if (record.format == FormatId::kDepthwise) {
    std::vector<std::byte> vectors(depthwise8_bytes(record));
    unpack_depthwise_to_8(record, stream, vectors.data());
    depthwise_to_rows(record, as_codes(vectors.data()), codes.data());
    return;
  }
  std::vector<std::byte> panel8(panel8_bytes(record));
  unpack_to_panel8(record, stream, panel8.data());
  panel8_to_rows(record, round_up(record.n, kPanelChannels), as_codes(panel8.data()), codes.data());
}

void unpack_to_panel8(const PackedRecord& record, const std::byte* stream, std::byte* panel8) {
  const int64_t k_padded = padded_k(record);
  const int64_t stored = padded_n(record), whole = round_up(record.n, kPanelChannels);
  if (stored != whole) std::memset(panel8, record.offset, panel8_bytes(record));
  for (int64_t g = 0; g < record.groups; ++g, panel8 += whole * k_padded)
    for (int64_t panel = 0; panel < stored; panel += kPanelChannels)
      for (int64_t k = 0; k < k_padded; k += kStep)
        for (int64_t n = panel; n < stored && n < panel + kPanelChannels; n += kTileChannels) {
          unpack_tile(record.bits, stream, as_codes(panel8 + panel8_offset(whole, k_padded, n, k)));
          stream += tile_bytes(record.bits);
        }
}

void unpack_depthwise_to_8(const PackedRecord& record, const std::byte* stream,
                           std::byte* vectors) {
  const auto bytes = static_cast<int64_t>(depthwise8_bytes(record));
  if (record.bits == 8) {
    std::memcpy(vectors, stream, static_cast<size_t>(bytes));
    return;
  }
  uint8_t tile[kTileBytes];
  for (int64_t at = 0; at < bytes; at += kTileBytes, stream += tile_bytes(record.bits)) {
    unpack_tile(record.bits, stream, tile);
    std::memcpy(vectors + at, tile, static_cast<size_t>(std::min(kTileBytes, bytes - at)));
  }
}

}  // namespace nibble::format
