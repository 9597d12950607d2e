#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "quant/data/file.h"

namespace nibble::data {

/// One member of a zip archive, from its central directory.
struct ZipMember {
  std::string name;
  int method = 0;  // 0 stored, 8 deflated
  uint32_t crc = 0;
  int64_t packed_bytes = 0;
  int64_t bytes = 0;
  int64_t data_offset = 0;  // of the packed bytes in the file
};

bool is_zip(std::span<const std::byte> head);

/// The members in file order (APPNOTE.TXT 6.3, with zip64, without encryption or spanning). Every
/// offset and size is checked against the file. Throws Error(kData).
std::vector<ZipMember> list_zip(const File& file);

/// Gives a deflated member's bytes to `sink`, piece by piece, and checks size and CRC.
void inflate_member(const File& file, const ZipMember& member,
                    const std::function<void(std::span<const std::byte>)>& sink);

/// An archive of stored members: the chunks that make the file, borrowed from `contents` (each
/// member is a list of chunks) and from `headers`.
struct ZipContent {
  std::string name;
  std::vector<std::span<const std::byte>> chunks;
};
std::vector<std::span<const std::byte>> make_zip(std::span<const ZipContent> contents,
                                                 std::vector<std::string>& headers);

}  // namespace nibble::data
