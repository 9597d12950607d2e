#pragma once

#include "nibble_onnx/onnx.pb.h"
#include "quant/importer/context.h"
#include "quant/importer/tensor_reader.h"

namespace nibble::importer {

/// The value of a Constant node, in whichever of ONNX's attributes it is. Throws Error(kModel)
/// naming the node for strings and sparse tensors.
StoredTensor read_constant_node(const onnx::NodeProto& node, Context& context);

}  // namespace nibble::importer
