#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "nibble_onnx/onnx.pb.h"

namespace nibble::importer {

/// Parses the bytes of `file` (for messages). Throws Error(kModel) when they are no model.
onnx::ModelProto parse_model(std::span<const std::byte> bytes, const std::string& file);

/// The version of the default operator set, in 7..26. Throws Error(kModel) naming `file`.
int opset_of(const onnx::ModelProto& model, const std::string& file);

}  // namespace nibble::importer
