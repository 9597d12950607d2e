#include "quant/data/file.h"
#include "quant/data/npy.h"
#include "quant/data/npy_file.h"
#include "quant/data/npy_header.h"
#include "quant/data/zip.h"

namespace nibble::data {

std::vector<std::pair<std::string, Tensor>> read_npz(const std::string& path) {
  std::vector<std::pair<std::string, Tensor>> arrays;
  for (const NpyFile& array : open_npz(path)) {
    Tensor tensor(array.dtype(), array.shape());
    array.read(0, {tensor.data(), tensor.bytes()});
    arrays.emplace_back(array.name(), std::move(tensor));
  }
  return arrays;
}

void write_npz(const std::string& path,
               const std::vector<std::pair<std::string, TensorView>>& arrays) {
  std::vector<std::string> npy_headers, zip_headers;
  npy_headers.reserve(arrays.size());  // the contents borrow from the strings
  std::vector<ZipContent> contents;
  for (const auto& [name, tensor] : arrays) {
    const std::string& header =
        npy_headers.emplace_back(make_npy_header(tensor.dtype, tensor.shape));
    contents.push_back({name + ".npy",
                        {std::as_bytes(std::span(header)),
                         {static_cast<const std::byte*>(tensor.data), tensor.bytes()}}});
  }
  write_atomically(path, make_zip(contents, zip_headers));
}

}  // namespace nibble::data
