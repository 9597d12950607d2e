#pragma once

#include <string>

#include "deploy/base/tensor.h"
#include "nibble_onnx/onnx.pb.h"
#include "quant/importer/external_data.h"
#include "quant/onnx/element_type.h"

namespace nibble::importer {

/// A tensor in memory and the type it had in the file: float16, bfloat16 and double become f32,
/// int4/uint4/int2/uint2 become one i8/u8 an element.
struct StoredTensor {
  Tensor tensor;
  onnx::ElementType stored = onnx::ElementType::kUndefined;
};

/// Reads `proto` from whichever field holds its elements. The number of stored elements is checked
/// against the shape before anything is allocated. Throws Error(kModel) naming `file` and the
/// tensor.
StoredTensor read_tensor(const onnx::TensorProto& proto, const std::string& file,
                         ExternalData& external);

}  // namespace nibble::importer
