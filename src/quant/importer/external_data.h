#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "nibble_onnx/onnx.pb.h"
#include "quant/importer/mapped_file.h"

namespace nibble::importer {

/// The files beside a model that hold its tensors' data, each mapped once. A model is untrusted:
/// only files inside its own folder are opened (symbolic links resolved first).
class ExternalData {
 public:
  explicit ExternalData(std::string model) : model_(std::move(model)) {}

  /// The `bytes` bytes of `tensor` in its file. Throws Error(kModel) naming model and tensor when
  /// the entry is incomplete, points outside the folder or past the file's end, or has another
  /// length.
  std::span<const std::byte> find(const onnx::TensorProto& tensor, size_t bytes);

 private:
  const MappedFile& file(const std::string& location, const std::string& tensor);

  std::string model_;
  std::map<std::string, std::shared_ptr<const MappedFile>> files_;
};

}  // namespace nibble::importer
