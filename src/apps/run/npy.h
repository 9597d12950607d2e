#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "nibble/run.h"

namespace nibble::app {

/// An array read from a .npy file (versions 1 to 3, C order, little-endian).
struct NpyArray {
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;
};

size_t bytes_of(ElementType type);

/// Empty on success, else one line that names the file.
std::string read_npy(const std::string& path, NpyArray& array);
/// Writes beside `path` first and renames: a failure leaves no file. What is no regular file (a
/// device, a pipe) is written in place.
std::string write_npy(const std::string& path, const Array& array);

}  // namespace nibble::app
