#pragma once

#include <memory>
#include <string>
#include <vector>

#include "quant/data/npy_file.h"
#include "quant/data/source.h"

namespace nibble::data {

/// Arrays [N, ...] on disk, one sample an index of dimension 0, with labels [N] or none. Throws
/// Error(kData) when the arrays disagree about N.
std::unique_ptr<Source> make_array_source(std::string format, std::string path,
                                          std::vector<NpyFile> arrays, std::vector<int64_t> labels);

}  // namespace nibble::data
