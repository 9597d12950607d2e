#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace nibble::pipeline {

/// Files that appear together or not at all: written under temporary names beside their places,
/// renamed by commit(), removed by the destructor otherwise. Throws Error(kOutput) naming the file
/// and the system's reason.
class OutputFiles {
 public:
  OutputFiles() = default;
  OutputFiles(const OutputFiles&) = delete;
  OutputFiles& operator=(const OutputFiles&) = delete;
  ~OutputFiles();

  /// Writes `bytes` for `path` and returns the temporary name, which ends in the same extension.
  std::string add(const std::string& path, std::span<const std::byte> bytes);
  std::string add(const std::string& path, const std::string& text) {
    return add(path, std::as_bytes(std::span(text)));
  }
  void commit();

 private:
  struct File {
    std::string path, temporary;
  };
  std::vector<File> files_;
};

}  // namespace nibble::pipeline
