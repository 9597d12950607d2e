// One NumPy array [N, ...], as the model takes it; labels in a file of their own.
#include "quant/data/array_source.h"

namespace nibble::data {
namespace {

bool recognises(const OpenRequest& request) {
  return is_npy(peek(request.path, 8));
}

std::unique_ptr<Source> open(const OpenRequest& request) {
  std::vector<NpyFile> arrays;
  arrays.push_back(open_npy(request.path));
  std::vector<int64_t> labels;
  const Shape& shape = arrays[0].shape();
  if (request.spec.labels && shape.rank() > 0)
    labels = read_label_file(beside(request.path, *request.spec.labels), shape[0]);
  return make_array_source("NumPy array", request.path, std::move(arrays), std::move(labels));
}

}  // namespace

const Reader k_reader_npy = {"NumPy .npy", "one array, samples along dimension 0", recognises,
                             open};

}  // namespace nibble::data
