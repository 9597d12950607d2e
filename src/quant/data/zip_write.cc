#include <zlib.h>

#include <algorithm>

#include "quant/data/zip.h"

namespace nibble::data {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50, kEnd = 0x06054b50,
                   kEnd64Locator = 0x07064b50, kEnd64 = 0x06064b50;
constexpr int64_t kEnd64Bytes = 56;
constexpr uint32_t kInZip64 = 0xffffffffu;  // "the number stands in the zip64 field"

template <class T>
void put(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    out += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
}

/// crc32 of zlib takes 32-bit lengths.
uint32_t checksum(const ZipContent& content) {
  uLong crc = crc32(0, nullptr, 0);
  for (const auto& chunk : content.chunks)
    for (size_t at = 0; at < chunk.size();) {
      const size_t n = std::min<size_t>(chunk.size() - at, 1u << 30);
      crc = crc32(crc, reinterpret_cast<const Bytef*>(&chunk[at]), static_cast<uInt>(n));
      at += n;
    }
  return static_cast<uint32_t>(crc);
}

/// The fields that local and central headers share, from "version needed" to "extra length". The
/// date is the format's zero, 1 January 1980: the same arrays give the same bytes.
void put_common(std::string& out, bool zip64, uint32_t crc, int64_t bytes, size_t name_bytes,
                size_t extra_bytes) {
  put<uint16_t>(out, zip64 ? 45 : 20);
  put<uint16_t>(out, 0);
  put<uint16_t>(out, 0);
  put<uint16_t>(out, 0);
  put<uint16_t>(out, 0x21);
  put<uint32_t>(out, crc);
  put<uint32_t>(out, zip64 ? kInZip64 : static_cast<uint32_t>(bytes));
  put<uint32_t>(out, zip64 ? kInZip64 : static_cast<uint32_t>(bytes));
  put<uint16_t>(out, static_cast<uint16_t>(name_bytes));
  put<uint16_t>(out, static_cast<uint16_t>(extra_bytes));
}

void put_zip64_sizes(std::string& out, int64_t bytes, int64_t offset, bool with_offset) {
  put<uint16_t>(out, 1);
  put<uint16_t>(out, with_offset ? 24 : 16);
  put<int64_t>(out, bytes);
  put<int64_t>(out, bytes);
  if (with_offset) put<int64_t>(out, offset);
}

}  // namespace

std::vector<std::span<const std::byte>> make_zip(std::span<const ZipContent> contents,
                                                 std::vector<std::string>& headers) {
  headers.clear();
  headers.reserve(contents.size() + 1);  // the chunks borrow from the strings: they must not move
  std::vector<std::span<const std::byte>> chunks;
  std::string central;
  int64_t offset = 0;
  for (const ZipContent& content : contents) {
    int64_t bytes = 0;
    for (const auto& chunk : content.chunks) bytes += static_cast<int64_t>(chunk.size());
    const bool zip64 = bytes >= int64_t{kInZip64} || offset >= int64_t{kInZip64};
    const uint32_t crc = checksum(content);
    std::string& local = headers.emplace_back();
    put<uint32_t>(local, kLocalHeader);
    put_common(local, zip64, crc, bytes, content.name.size(), zip64 ? 20 : 0);
    local += content.name;
    if (zip64) put_zip64_sizes(local, bytes, 0, false);

    put<uint32_t>(central, kCentralHeader);
    put<uint16_t>(central, zip64 ? 45 : 20);
    put_common(central, zip64, crc, bytes, content.name.size(), zip64 ? 28 : 0);
    central.append(10, '\0');  // comment length, disk, internal and external attributes
    put<uint32_t>(central, zip64 ? kInZip64 : static_cast<uint32_t>(offset));
    central += content.name;
    if (zip64) put_zip64_sizes(central, bytes, offset, true);

    chunks.push_back(std::as_bytes(std::span(local)));
    chunks.insert(chunks.end(), content.chunks.begin(), content.chunks.end());
    offset += static_cast<int64_t>(local.size()) + bytes;
  }

  const int64_t central_bytes = static_cast<int64_t>(central.size());
  const int64_t members = static_cast<int64_t>(contents.size());
  const bool zip64 = offset >= int64_t{kInZip64} || members >= 0xffff;
  if (zip64) {
    const int64_t end64 = offset + central_bytes;
    put<uint32_t>(central, kEnd64);
    put<int64_t>(central, kEnd64Bytes - 12);
    put<uint16_t>(central, 45);
    put<uint16_t>(central, 45);
    put<uint64_t>(central, 0);  // this disk, the directory's disk
    put<int64_t>(central, members);
    put<int64_t>(central, members);
    put<int64_t>(central, central_bytes);
    put<int64_t>(central, offset);
    put<uint32_t>(central, kEnd64Locator);
    put<uint32_t>(central, 0);
    put<int64_t>(central, end64);
    put<uint32_t>(central, 1);
  }
  put<uint32_t>(central, kEnd);
  put<uint32_t>(central, 0);
  put<uint16_t>(central, static_cast<uint16_t>(zip64 ? 0xffff : members));
  put<uint16_t>(central, static_cast<uint16_t>(zip64 ? 0xffff : members));
  put<uint32_t>(central, static_cast<uint32_t>(central_bytes));
  put<uint32_t>(central, zip64 ? kInZip64 : static_cast<uint32_t>(offset));
  put<uint16_t>(central, 0);
  headers.push_back(std::move(central));
  chunks.push_back(std::as_bytes(std::span(headers.back())));
  return chunks;
}

}  // namespace nibble::data
