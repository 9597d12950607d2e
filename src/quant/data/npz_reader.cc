// NumPy arrays by input name, and `labels`: the array of that name, or of the name that the key
// `labels` gives, or a file of that name.
#include <algorithm>

#include "quant/data/array_source.h"
#include "quant/data/zip.h"

namespace nibble::data {
namespace {

bool recognises(const OpenRequest& request) {
  return is_zip(peek(request.path, 4));
}

std::unique_ptr<Source> open(const OpenRequest& request) {
  std::vector<NpyFile> arrays = open_npz(request.path);
  const std::string name = request.spec.labels.value_or("labels");
  const auto found = std::find_if(arrays.begin(), arrays.end(),
                                  [&](const NpyFile& array) { return array.name() == name; });
  std::vector<int64_t> labels;
  std::vector<NpyFile> inputs;
  for (auto array = arrays.begin(); array != arrays.end(); ++array) {
    if (array != found) {
      inputs.push_back(std::move(*array));
      continue;
    }
    Tensor tensor(array->dtype(), array->shape());
    array->read(0, {tensor.data(), tensor.bytes()});
    labels = to_labels(tensor, array->label());
  }
  if (found == arrays.end() && request.spec.labels && !inputs.empty() &&
      inputs[0].shape().rank() > 0)
    labels = read_label_file(beside(request.path, name), inputs[0].shape()[0]);
  return make_array_source("NumPy archive", request.path, std::move(inputs), std::move(labels));
}

}  // namespace

const Reader k_reader_npz = {"NumPy .npz", "arrays by input name, and labels", recognises, open};

}  // namespace nibble::data
