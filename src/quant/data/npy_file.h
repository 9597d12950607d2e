#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "quant/data/file.h"
#include "quant/data/npy_header.h"

namespace nibble::data {

/// One array on disk, read piece by piece.
class NpyFile {
 public:
  /// A .npy that begins at `offset` of `file` and takes `bytes`.
  NpyFile(std::shared_ptr<const File> file, int64_t offset, int64_t bytes, std::string name,
          std::string label);

  const std::string& name() const { return name_; }  // in the archive, without ".npy"
  /// "x.npz", or "x.npz[input]": for messages.
  const std::string& label() const { return label_; }
  DType dtype() const { return header_.dtype; }
  const Shape& shape() const { return header_.shape; }
  /// Fills `out` with elements from number `first` on; bool elements become 0 or 1.
  void read(int64_t first, std::span<std::byte> out) const;

 private:
  std::shared_ptr<const File> file_;
  int64_t offset_;
  std::string name_, label_;
  NpyHeader header_;
};

NpyFile open_npy(const std::string& path);
/// Stored members are read where they lie; deflated ones are inflated once to a temporary file, so
/// that samples can be read in any order without holding the array in memory.
std::vector<NpyFile> open_npz(const std::string& path);

}  // namespace nibble::data
