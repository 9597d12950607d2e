#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "deploy/base/status.h"

namespace nibble::model {

/// A whole file, mapped read-only: pages are read when touched and never copied to the heap.
class MappedFile {
 public:
  /// kIo: "<path>: <reason of the operating system>".
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// Page-aligned; empty for an empty file.
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

}  // namespace nibble::model
