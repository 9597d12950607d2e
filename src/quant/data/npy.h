#pragma once

#include <string>
#include <utility>
#include <vector>

#include "deploy/base/tensor.h"

namespace nibble::data {

/// NumPy .npy (format 1.0-3.0, C order, little-endian; the DType list). Throws Error(kData).
Tensor read_npy(const std::string& path);
/// Writes to a temporary file beside `path` and renames it: all or nothing. Throws Error(kOutput).
void write_npy(const std::string& path, const TensorView& tensor);

/// NumPy .npz (zip of .npy, stored or deflated) as (name, tensor) in file order. Writing stores,
/// uncompressed.
std::vector<std::pair<std::string, Tensor>> read_npz(const std::string& path);
void write_npz(const std::string& path,
               const std::vector<std::pair<std::string, TensorView>>& arrays);

}  // namespace nibble::data
