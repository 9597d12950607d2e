#include "apps/run/npy.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string_view>
#include <system_error>

namespace nibble::app {
namespace {

struct TypeName {
  std::string_view name;  // NumPy's
  ElementType type;
  size_t bytes;
};
constexpr TypeName kTypes[] = {
    {"<f4", ElementType::kF32, 4}, {"<f8", ElementType::kF64, 8}, {"<f2", ElementType::kF16, 2},
    {"|i1", ElementType::kI8, 1},  {"|u1", ElementType::kU8, 1},  {"<i2", ElementType::kI16, 2},
    {"<u2", ElementType::kU16, 2}, {"<i4", ElementType::kI32, 4}, {"<u4", ElementType::kU32, 4},
    {"<i8", ElementType::kI64, 8}, {"<u8", ElementType::kU64, 8}, {"|b1", ElementType::kBool, 1}};

constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMagicBytes = 6;
constexpr size_t kMaxRank = 32;  // NumPy's

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

/// The text after "'key':" in the header's dictionary; empty when it is not there.
std::string_view value_of(std::string_view header, std::string_view key) {
  const size_t at = header.find(key);
  if (at == std::string_view::npos) return {};
  std::string_view rest = header.substr(at + key.size());
  const size_t start = rest.find_first_not_of(": ");
  return start == std::string_view::npos ? std::string_view() : rest.substr(start);
}

/// "(2, 3)" -> {2, 3}; false where it is something else.
bool parse_shape(std::string_view text, std::vector<int64_t>& shape) {
  if (text.empty() || text[0] != '(') return false;
  const size_t end = text.find(')');
  if (end == std::string_view::npos) return false;
  std::string digits(text.substr(1, end - 1));
  const char* at = digits.c_str();
  while (true) {
    while (*at == ' ' || *at == ',') ++at;
    if (*at == 0) return shape.size() <= kMaxRank;
    if (*at < '0' || *at > '9') return false;
    char* next = nullptr;
    errno = 0;
    const long long dim = std::strtoll(at, &next, 10);
    if (errno) return false;
    shape.push_back(dim);
    at = next;
  }
}

/// Reads the rest of `file` into `data`, up to `bytes` and one more to notice what is too long.
/// Memory grows with what is there, not with what the header claims.
size_t read_data(std::FILE* file, size_t bytes, std::vector<std::byte>& data) {
  constexpr size_t kChunk = size_t{1} << 20;
  size_t have = 0;
  while (have <= bytes) {
    const size_t ask = bytes - have < kChunk ? bytes - have + 1 : kChunk;
    data.resize(have + ask);
    const size_t got = std::fread(data.data() + have, 1, ask, file);
    have += got;
    if (got < ask) break;
  }
  data.resize(have < bytes ? have : bytes);
  return have;
}

}  // namespace

size_t bytes_of(ElementType type) {
  for (const TypeName& t : kTypes)
    if (t.type == type) return t.bytes;
  return 2;  // BF16, which NumPy has no name for
}

std::string read_npy(const std::string& path, NpyArray& array) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) return path + ": cannot be read: " + std::strerror(errno);
  unsigned char start[12];
  if (std::fread(start, 1, 8, file.get()) != 8 || std::memcmp(start, kMagic, kMagicBytes) != 0)
    return path + ": expects a .npy file";
  const int major = start[6];
  if (major < 1 || major > 3) return path + ": expects .npy version 1 to 3";
  const size_t length_bytes = major == 1 ? 2 : 4;
  if (std::fread(start + 8, 1, length_bytes, file.get()) != length_bytes)
    return path + ": ends in its header";
  size_t length = 0;
  for (size_t i = length_bytes; i-- > 0;) length = length << 8 | start[8 + i];
  if (length > 1 << 16) return path + ": expects a header of at most 65536 bytes";
  std::string header(length, ' ');
  if (std::fread(header.data(), 1, length, file.get()) != length)
    return path + ": ends in its header";

  const std::string_view type = value_of(header, "'descr'");
  const TypeName* found = nullptr;
  for (const TypeName& t : kTypes)
    if (type.size() > 4 && type.substr(1, 3) == t.name) found = &t;
  if (!found)
    return path + ": expects little-endian numbers or bool, found descr " +
           std::string(type.substr(0, type.find(',')));
  if (value_of(header, "'fortran_order'").substr(0, 5) != "False")
    return path + ": expects C order (fortran_order False)";
  array.type = found->type;
  array.shape.clear();
  if (!parse_shape(value_of(header, "'shape'"), array.shape))
    return path + ": expects a shape of whole numbers";
  size_t bytes = found->bytes;
  for (int64_t dim : array.shape)
    if (__builtin_mul_overflow(bytes, static_cast<size_t>(dim), &bytes) || bytes >> 62)
      return path + ": expects less than 2^62 bytes";
  const size_t have = read_data(file.get(), bytes, array.data);
  if (have != bytes)
    return path + ": expects " + std::to_string(bytes) + " bytes of elements, found " +
           (have > bytes ? "more" : std::to_string(have));
  return {};
}

std::string write_npy(const std::string& path, const Array& array) {
  const TypeName* type = nullptr;
  for (const TypeName& t : kTypes)
    if (t.type == array.type) type = &t;
  if (!type) return path + ": .npy has no bfloat16";
  std::string header =
      "{'descr': '" + std::string(type->name) + "', 'fortran_order': False, 'shape': (";
  size_t bytes = type->bytes;
  for (int64_t dim : array.shape) {
    header += std::to_string(dim) + ", ";
    bytes *= static_cast<size_t>(dim);
  }
  if (array.shape.size() > 1) header.resize(header.size() - 2);
  if (array.shape.size() == 1) header.pop_back();
  header += "), }";
  // Magic, version, length and header fill a multiple of 64 bytes.
  const size_t used = kMagicBytes + 4 + header.size() + 1;
  header.append((used + 63) / 64 * 64 - used, ' ');
  header += '\n';
  std::string start(kMagic, kMagicBytes);
  start += '\x01';
  start += '\0';
  start += static_cast<char>(header.size() & 0xff);
  start += static_cast<char>(header.size() >> 8);
  start += header;

  // A device or a pipe is written to, never replaced.
  std::error_code ignored;
  const auto kind = std::filesystem::status(path, ignored).type();
  const bool in_place =
      kind != std::filesystem::file_type::not_found && kind != std::filesystem::file_type::regular;
  const std::string partial = in_place ? path : path + ".partial";
  std::FILE* file = std::fopen(partial.c_str(), "wb");
  if (!file) return path + ": cannot be written: " + std::strerror(errno);
  bool written = std::fwrite(start.data(), 1, start.size(), file) == start.size();
  written = written && (bytes == 0 || std::fwrite(array.data, 1, bytes, file) == bytes);
  int error = written ? 0 : errno;
  // A full disk may show only here.
  if (std::fclose(file) != 0 && written) {
    written = false;
    error = errno;
  }
  if (written && !in_place && std::rename(partial.c_str(), path.c_str()) != 0) {
    written = false;
    error = errno;
  }
  if (written) return {};
  if (!in_place) std::remove(partial.c_str());
  return path + ": cannot be written: " + std::strerror(error);
}

}  // namespace nibble::app
