#include "quant/importer/model_reader.h"

#include <climits>

#include "quant/graph/error.h"

namespace nibble::importer {

onnx::ModelProto parse_model(std::span<const std::byte> bytes, const std::string& file) {
  if (bytes.size() > INT_MAX)
    throw Error(ErrorKind::kModel, "larger than 2 GiB; weights of this size must be external data",
                file);
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    throw Error(ErrorKind::kModel, "not an ONNX model (or damaged): protobuf does not parse", file);
  if (!model.has_graph())
    throw Error(ErrorKind::kModel, "not an ONNX model: it has no graph", file);
  return model;
}

int opset_of(const onnx::ModelProto& model, const std::string& file) {
  constexpr int kOldest = 7, kNewest = 26;
  int64_t opset = 0;
  for (const auto& import : model.opset_import())
    if (import.domain().empty() || import.domain() == "ai.onnx") opset = import.version();
  if (opset < kOldest || opset > kNewest)
    throw Error(
        ErrorKind::kModel,
        (opset == 0 ? "states no opset" : "opset " + std::to_string(opset)) + ", expected 7 to 26",
        file);
  return static_cast<int>(opset);
}

}  // namespace nibble::importer
