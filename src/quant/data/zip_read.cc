#include "quant/data/zip.h"

#include <zlib.h>

#include <algorithm>

#include "quant/graph/error.h"

namespace nibble::data {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50, kEnd = 0x06054b50,
                   kEnd64Locator = 0x07064b50, kEnd64 = 0x06064b50;
constexpr int64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64LocatorBytes = 20,
                  kEnd64Bytes = 56;
constexpr uint32_t kInZip64 = 0xffffffffu;  // "the number stands in the zip64 field"
// Deflate cannot shrink more than this (zlib's documentation: 1032:1).
constexpr int64_t kMaxRatio = 1032;

[[noreturn]] void fail(const File& file, const std::string& message) {
  throw Error(ErrorKind::kData, "zip archive: " + message, file.path());
}

/// `count` bytes at `offset`, which must lie inside the file.
std::vector<std::byte> bytes_at(const File& file, int64_t offset, int64_t count, const char* what) {
  if (offset < 0 || count < 0 || offset > file.size() || count > file.size() - offset)
    fail(file, std::string(what) + " lies outside the file (truncated?)");
  std::vector<std::byte> bytes(static_cast<size_t>(count));
  file.read_at(offset, bytes);
  return bytes;
}

struct Directory {
  int64_t offset = 0, bytes = 0, members = 0;
};

/// Finds the directory from the end of the file, where a comment of up to 64 kB may follow it.
Directory find_directory(const File& file) {
  const int64_t tail_bytes = std::min<int64_t>(file.size(), kEndBytes + 0xffff);
  const int64_t tail_at = file.size() - tail_bytes;
  const std::vector<std::byte> tail = bytes_at(file, tail_at, tail_bytes, "the end");
  int64_t at = tail_bytes - kEndBytes;
  while (at >= 0 && little_endian<uint32_t>(&tail[static_cast<size_t>(at)]) != kEnd) --at;
  if (at < 0) fail(file, "no central directory (truncated?)");
  const std::byte* end = &tail[static_cast<size_t>(at)];
  Directory directory{little_endian<uint32_t>(end + 16), little_endian<uint32_t>(end + 12),
                      little_endian<uint16_t>(end + 10)};
  if (directory.offset != kInZip64 && directory.members != 0xffff) return directory;
  const auto locator =
      bytes_at(file, tail_at + at - kEnd64LocatorBytes, kEnd64LocatorBytes, "the zip64 locator");
  if (little_endian<uint32_t>(locator.data()) != kEnd64Locator) return directory;
  const auto end64 =
      bytes_at(file, little_endian<int64_t>(&locator[8]), kEnd64Bytes, "the zip64 end record");
  if (little_endian<uint32_t>(end64.data()) != kEnd64) fail(file, "no zip64 end record");
  return {little_endian<int64_t>(&end64[48]), little_endian<int64_t>(&end64[40]),
          little_endian<int64_t>(&end64[32])};
}

/// Replaces the numbers of a central header that did not fit 32 bits by those of its zip64 field.
void read_zip64(std::span<const std::byte> extra, ZipMember& member, int64_t& local_offset) {
  while (extra.size() >= 4) {
    const size_t id = little_endian<uint16_t>(&extra[0]);
    const size_t length = std::min<size_t>(little_endian<uint16_t>(&extra[2]), extra.size() - 4);
    std::span<const std::byte> field = extra.subspan(4, length);
    if (id == 1)
      for (int64_t* number : {&member.bytes, &member.packed_bytes, &local_offset})
        if (*number == kInZip64 && field.size() >= 8) {
          *number = little_endian<int64_t>(field.data());
          field = field.subspan(8);
        }
    extra = extra.subspan(4 + length);
  }
}

void check_member(const File& file, const ZipMember& member, int flags) {
  const std::string name = "member '" + member.name + "' ";
  if (flags & 1) fail(file, name + "is encrypted");
  if (member.method != 0 && member.method != Z_DEFLATED)
    fail(file, name + "has compression method " + std::to_string(member.method) +
                   ", expected stored (0) or deflated (8)");
  if (member.packed_bytes < 0 || member.packed_bytes > file.size() - member.data_offset)
    fail(file, name + "lies outside the file (truncated?)");
  if (member.method == 0 ? member.bytes != member.packed_bytes
                         : member.bytes < 0 || member.bytes / kMaxRatio > member.packed_bytes + 1)
    fail(file, name + "says " + std::to_string(member.bytes) + " bytes, more than its " +
                   std::to_string(member.packed_bytes) + " packed ones can hold");
}

}  // namespace

bool is_zip(std::span<const std::byte> head) {
  return head.size() >= 4 && little_endian<uint32_t>(head.data()) == kLocalHeader;
}

std::vector<ZipMember> list_zip(const File& file) {
  const Directory directory = find_directory(file);
  const auto bytes = bytes_at(file, directory.offset, directory.bytes, "the central directory");
  std::vector<ZipMember> members;
  size_t at = 0;
  for (int64_t i = 0; i < directory.members; ++i) {
    if (bytes.size() - at < kCentralBytes || little_endian<uint32_t>(&bytes[at]) != kCentralHeader)
      fail(file, "the central directory ends after " + std::to_string(i) + " of " +
                     std::to_string(directory.members) + " members");
    const std::byte* header = &bytes[at];
    const size_t name_bytes = little_endian<uint16_t>(header + 28);
    const size_t extra_bytes = little_endian<uint16_t>(header + 30);
    const size_t comment_bytes = little_endian<uint16_t>(header + 32);
    at += kCentralBytes;
    if (bytes.size() - at < name_bytes + extra_bytes + comment_bytes)
      fail(file, "the central directory is cut off");
    ZipMember member;
    member.method = little_endian<uint16_t>(header + 10);
    member.crc = little_endian<uint32_t>(header + 16);
    member.packed_bytes = little_endian<uint32_t>(header + 20);
    member.bytes = little_endian<uint32_t>(header + 24);
    int64_t local_offset = little_endian<uint32_t>(header + 42);
    const std::span<const std::byte> rest = std::span(bytes).subspan(at);
    member.name.assign(reinterpret_cast<const char*>(rest.data()), name_bytes);
    read_zip64(rest.subspan(name_bytes, extra_bytes), member, local_offset);
    at += name_bytes + extra_bytes + comment_bytes;

    const auto local = bytes_at(file, local_offset, kLocalBytes, "a member's header");
    if (little_endian<uint32_t>(local.data()) != kLocalHeader)
      fail(file, "member '" + member.name + "' has no header at its offset");
    member.data_offset = local_offset + kLocalBytes + little_endian<uint16_t>(&local[26]) +
                         little_endian<uint16_t>(&local[28]);
    check_member(file, member, little_endian<uint16_t>(header + 8));
    members.push_back(std::move(member));
  }
  return members;
}

void inflate_member(const File& file, const ZipMember& member,
                    const std::function<void(std::span<const std::byte>)>& sink) {
  constexpr size_t kPiece = 1 << 18;
  std::vector<std::byte> in(kPiece), out(kPiece);
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    throw Error(ErrorKind::kInternal, "zlib cannot start");
  struct End {
    z_stream* stream;
    ~End() { inflateEnd(stream); }
  } end{&stream};
  const std::string name = "member '" + member.name + "' ";
  int64_t read = 0, written = 0;
  uLong crc = crc32(0, nullptr, 0);
  for (int state = Z_OK; state != Z_STREAM_END;) {
    if (stream.avail_in == 0) {
      const int64_t n = std::min<int64_t>(kPiece, member.packed_bytes - read);
      if (n == 0) fail(file, name + "ends before its data does");
      file.read_at(member.data_offset + read, std::span(in).first(static_cast<size_t>(n)));
      read += n;
      stream.next_in = reinterpret_cast<Bytef*>(in.data());
      stream.avail_in = static_cast<uInt>(n);
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = kPiece;
    state = inflate(&stream, Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END) fail(file, name + "is not valid deflate data");
    const auto piece = std::span<const std::byte>(out).first(kPiece - stream.avail_out);
    written += static_cast<int64_t>(piece.size());
    if (written > member.bytes) fail(file, name + "holds more bytes than its header says");
    crc = crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size()));
    sink(piece);
  }
  if (written != member.bytes || crc != member.crc)
    fail(file, name + "does not have the size and checksum that its header says");
}

}  // namespace nibble::data
