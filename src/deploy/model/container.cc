#include "deploy/model/container.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "deploy/model/checksum.h"

namespace nibble::model {
namespace {

constexpr unsigned char kMagic[8] = {0x89, 'N', 'B', 'L', '\r', '\n', 0x1a, '\n'};
constexpr uint32_t kVersion = 1;
constexpr uint32_t kByteOrder = 0x01020304;

struct Header {
  unsigned char magic[8];
  uint32_t version;
  uint32_t byte_order;
  uint64_t file_size;
  uint64_t section_count;
  uint64_t checksum;  // of the section table, seeded with the checksum of the fields above
  uint64_t reserved[3];
};
static_assert(sizeof(Header) == 64);

struct Entry {
  uint64_t offset;
  uint64_t length;
  uint64_t checksum;
};
static_assert(sizeof(Entry) == 24);

uint64_t table_checksum(const Header& header, std::span<const std::byte> table) {
  const auto fields = std::as_bytes(std::span(&header, 1)).first(offsetof(Header, checksum));
  return checksum(table, checksum(fields));
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

Status check_header(const Header& header, size_t file_size) {
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0)
    return corrupt("not a .nbl file (its first 8 bytes differ)");
  if (header.byte_order != kByteOrder) return corrupt("byte order mark differs; expected 01020304");
  if (header.version != kVersion)
    return unsupported(".nbl version " + std::to_string(header.version) + "; this build reads " +
                       std::to_string(kVersion));
  if (header.file_size != file_size)
    return corrupt("holds " + std::to_string(file_size) + " bytes; its header says " +
                   std::to_string(header.file_size));
  if (file_size % kAlignment != 0)
    return corrupt("holds " + std::to_string(file_size) + " bytes; expected a multiple of 64");
  if (header.section_count < 1 ||
      header.section_count > (file_size - sizeof(Header)) / sizeof(Entry))
    return corrupt(std::to_string(header.section_count) + " sections; the file has room for " +
                   std::to_string((file_size - sizeof(Header)) / sizeof(Entry)));
  for (uint64_t word : header.reserved)
    if (word != 0) return corrupt("reserved header bytes are not zero");
  return {};
}

}  // namespace

Buffer write_container(std::span<const std::span<const std::byte>> sections) {
  std::vector<Entry> table(sections.size());
  size_t end = sizeof(Header) + sections.size() * sizeof(Entry);
  for (size_t i = 0; i < sections.size(); ++i) {
    const size_t start = align_up(end);
    table[i] = {start, sections[i].size(), checksum(sections[i])};
    end = start + sections[i].size();
  }
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.byte_order = kByteOrder;
  header.file_size = align_up(end);
  header.section_count = sections.size();
  header.checksum = table_checksum(header, std::as_bytes(std::span(table)));

  Buffer file(align_up(end));
  std::byte* out = file.data();
  size_t at = 0;
  const auto put = [&](size_t start, const void* data, size_t bytes) {
    std::memset(out + at, 0, start - at);
    if (bytes) std::memcpy(out + start, data, bytes);
    at = start + bytes;
  };
  put(0, &header, sizeof header);
  put(sizeof header, table.data(), table.size() * sizeof(Entry));
  for (size_t i = 0; i < sections.size(); ++i)
    put(table[i].offset, sections[i].data(), sections[i].size());
  put(file.size(), nullptr, 0);
  return file;
}

Result<std::vector<Section>> read_container(std::span<const std::byte> file, bool verify) {
  if (std::endian::native != std::endian::little)
    return unsupported(".nbl files are little-endian; this machine is not");
  Header header;
  if (file.size() < sizeof header)
    return corrupt("holds " + std::to_string(file.size()) +
                   " bytes; a .nbl file starts with a header of 64");
  std::memcpy(&header, file.data(), sizeof header);
  NIBBLE_RETURN_IF_ERROR(check_header(header, file.size()));

  const auto count = static_cast<size_t>(header.section_count);
  const auto table = file.subspan(sizeof header, count * sizeof(Entry));
  if (verify && table_checksum(header, table) != header.checksum)
    return corrupt("the checksum of the section table differs");
  std::vector<Section> sections(count);
  size_t end = sizeof header + table.size();
  for (size_t i = 0; i < count; ++i) {
    Entry entry;
    std::memcpy(&entry, table.data() + i * sizeof entry, sizeof entry);
    const size_t start = align_up(end);
    if (entry.offset != start || start > file.size() || entry.length > file.size() - start)
      return corrupt("section " + std::to_string(i) + " is [" + std::to_string(entry.offset) +
                     ", +" + std::to_string(entry.length) + "); expected to start at " +
                     std::to_string(start) + " and to end by " + std::to_string(file.size()));
    if (verify && !all_zero(file.subspan(end, start - end)))
      return corrupt("the gap before section " + std::to_string(i) + " is not zero");
    sections[i] = {file.subspan(start, static_cast<size_t>(entry.length)), entry.checksum};
    end = start + sections[i].bytes.size();
  }
  if (align_up(end) != file.size())
    return corrupt("holds " + std::to_string(file.size()) + " bytes; its sections end at " +
                   std::to_string(end));
  if (verify && !all_zero(file.subspan(end))) return corrupt("the gap at the end is not zero");
  return sections;
}

}  // namespace nibble::model
