#include "quant/data/source.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "quant/data/file.h"
#include "quant/data/npy_header.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

constexpr int64_t kMaxLabelFile = int64_t{1} << 32;

std::vector<int64_t> parse_lines(const std::vector<std::byte>& bytes, const std::string& path) {
  std::vector<int64_t> labels;
  const char* p = reinterpret_cast<const char*>(bytes.data());
  const char* end = p + bytes.size();
  while (true) {
    while (p != end && (*p == '\n' || *p == '\r' || *p == ' ')) ++p;
    if (p == end) return labels;
    int64_t label = 0;
    const auto result = std::from_chars(p, end, label);
    if (result.ec != std::errc() ||
        (result.ptr != end && *result.ptr != '\n' && *result.ptr != '\r' && *result.ptr != ' '))
      throw Error(ErrorKind::kData,
                  "label " + std::to_string(labels.size()) +
                      " is not a whole number; expected IDX, .npy, one number a line, or one byte "
                      "a sample",
                  path);
    labels.push_back(label);
    p = result.ptr;
  }
}

}  // namespace

Image Source::read_image(int64_t) {
  throw Error(ErrorKind::kInternal, format() + " holds no images");
}

void Source::read_fields(int64_t, std::span<const std::span<std::byte>>) {
  throw Error(ErrorKind::kInternal, format() + " holds no arrays");
}

std::span<const Reader* const> readers() {
  static constexpr const Reader* kReaders[] = {
#define NIBBLE_READER(name) &k_reader_##name,
#include "quant/data/readers.inc"
#undef NIBBLE_READER
  };
  return kReaders;
}

std::vector<int64_t> read_label_file(const std::string& path, int64_t count) {
  const std::vector<std::byte> bytes = read_whole(path, kMaxLabelFile);
  std::vector<int64_t> labels;
  const bool idx = bytes.size() >= 8 && big_endian_u32(bytes.data()) == 0x0801;
  if (is_npy(bytes)) {
    labels = to_labels(read_npy(path), path);
  } else if (idx) {
    if (bytes.size() - 8 != big_endian_u32(&bytes[4]))
      throw Error(ErrorKind::kData,
                  "IDX labels: header says " + std::to_string(big_endian_u32(&bytes[4])) +
                      ", the file holds " + std::to_string(bytes.size() - 8),
                  path);
    for (size_t i = 8; i < bytes.size(); ++i) labels.push_back(static_cast<uint8_t>(bytes[i]));
  } else if (static_cast<int64_t>(bytes.size()) == count) {
    for (std::byte b : bytes) labels.push_back(static_cast<uint8_t>(b));
  } else {
    labels = parse_lines(bytes, path);
  }
  if (static_cast<int64_t>(labels.size()) != count)
    throw Error(ErrorKind::kData,
                "holds " + std::to_string(labels.size()) + " labels, the data " +
                    std::to_string(count) + " samples",
                path);
  return labels;
}

std::vector<std::byte> peek(const std::string& path, size_t count) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return {};
  std::ifstream in(path, std::ios::binary);
  std::vector<std::byte> head(count);
  in.read(reinterpret_cast<char*>(head.data()), static_cast<std::streamsize>(count));
  head.resize(static_cast<size_t>(in.gcount()));
  return head;
}

std::string beside(const std::string& data_path, const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path folder = fs::is_directory(data_path, ignored) ? fs::path(data_path)
                                                               : fs::path(data_path).parent_path();
  return (folder / name).string();
}

}  // namespace nibble::data
