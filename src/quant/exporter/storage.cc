#include "quant/exporter/storage.h"

namespace nibble::exporter {

using onnx::ElementType;

std::optional<Storage> storage_of(const numeric::QuantParams& params, int opset) {
  constexpr ElementType kSigned[] = {ElementType::kInt2, ElementType::kInt4, ElementType::kInt8,
                                     ElementType::kInt16};
  constexpr ElementType kUnsigned[] = {ElementType::kUint2, ElementType::kUint4,
                                       ElementType::kUint8, ElementType::kUint16};
  for (const ElementType type : params.is_signed() ? kSigned : kUnsigned) {
    if (opset_of(type) > opset) continue;
    if (params.qmin < onnx::lowest(type) || onnx::highest(type) < params.qmax) continue;
    return Storage{type, onnx::lowest(type) != params.qmin || onnx::highest(type) != params.qmax};
  }
  return std::nullopt;
}

bool is_written_as_signs(const numeric::QuantParams& params) {
  return params.grid == numeric::GridId::kBinary;
}

int opset_of(ElementType type) {
  switch (onnx::info_of(type).bits) {
    case 2:
      return 25;
    case 4:
    case 16:
      return 21;
    default:
      return 13;
  }
}

}  // namespace nibble::exporter
