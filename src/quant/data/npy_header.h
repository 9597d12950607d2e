#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "quant/data/npy.h"

namespace nibble::data {

/// What stands before the elements of a .npy file.
struct NpyHeader {
  DType dtype = DType::kF32;
  Shape shape;
  int64_t data_offset = 0;  // bytes from the start of the .npy
};

bool is_npy(std::span<const std::byte> head);

/// Reads the header through `read_at(offset, out)`; `size` is the length of the .npy in bytes,
/// which must be the header's and its elements' to the byte. Throws Error(kData) naming `label`.
NpyHeader read_npy_header(
    const std::function<void(int64_t offset, std::span<std::byte> out)>& read_at, int64_t size,
    const std::string& label);

/// Magic, version and dictionary of a C-order array, padded to a multiple of 64 bytes.
std::string make_npy_header(DType dtype, const Shape& shape);

/// Integers of any width, shape [n] or [n, 1], as labels. Throws Error(kData) naming `label`.
std::vector<int64_t> to_labels(const Tensor& tensor, const std::string& label);

}  // namespace nibble::data
