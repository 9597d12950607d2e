#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace nibble::importer {

/// A file mapped read-only for as long as the object lives.
class MappedFile {
 public:
  /// Throws Error(kModel) when `path` is not a regular file that can be read.
  static std::shared_ptr<const MappedFile> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, size_t size) : data_(data), size_(size) {}
  const std::byte* data_;
  size_t size_;
};

}  // namespace nibble::importer
