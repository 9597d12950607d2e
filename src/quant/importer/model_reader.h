#pragma once

#include <string>

#include "nibble_onnx/onnx.pb.h"

namespace nibble::importer {

/// Maps and parses `path`; checks that it is a model of a supported opset. Throws Error(kModel).
onnx::ModelProto read_model(const std::string& path);

/// The version of the default operator set, in 7..26. Throws Error(kModel) naming `file`.
int opset_of(const onnx::ModelProto& model, const std::string& file);

}  // namespace nibble::importer
