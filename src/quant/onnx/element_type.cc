#include "quant/onnx/element_type.h"

#include <iterator>

namespace nibble::onnx {
namespace {

constexpr ElementInfo kTypes[] = {
    {ElementType::kUndefined, "undefined", 0, std::nullopt},
    {ElementType::kFloat, "float", 32, DType::kF32},
    {ElementType::kUint8, "uint8", 8, DType::kU8},
    {ElementType::kInt8, "int8", 8, DType::kI8},
    {ElementType::kUint16, "uint16", 16, DType::kU16},
    {ElementType::kInt16, "int16", 16, DType::kI16},
    {ElementType::kInt32, "int32", 32, DType::kI32},
    {ElementType::kInt64, "int64", 64, DType::kI64},
    {ElementType::kString, "string", 0, std::nullopt},
    {ElementType::kBool, "bool", 8, DType::kBool},
    {ElementType::kFloat16, "float16", 16, DType::kF32},
    {ElementType::kDouble, "double", 64, DType::kF32},
    {ElementType::kUint32, "uint32", 32, DType::kU32},
    {ElementType::kUint64, "uint64", 64, DType::kU64},
    {ElementType::kComplex64, "complex64", 64, std::nullopt},
    {ElementType::kComplex128, "complex128", 128, std::nullopt},
    {ElementType::kBfloat16, "bfloat16", 16, DType::kF32},
    {ElementType::kFloat8E4M3Fn, "float8e4m3fn", 8, std::nullopt},
    {ElementType::kFloat8E4M3Fnuz, "float8e4m3fnuz", 8, std::nullopt},
    {ElementType::kFloat8E5M2, "float8e5m2", 8, std::nullopt},
    {ElementType::kFloat8E5M2Fnuz, "float8e5m2fnuz", 8, std::nullopt},
    {ElementType::kUint4, "uint4", 4, DType::kU8},
    {ElementType::kInt4, "int4", 4, DType::kI8},
    {ElementType::kFloat4E2M1, "float4e2m1", 4, std::nullopt},
    {ElementType::kFloat8E8M0, "float8e8m0", 8, std::nullopt},
    {ElementType::kUint2, "uint2", 2, DType::kU8},
    {ElementType::kInt2, "int2", 2, DType::kI8},
};

}  // namespace

const ElementInfo* info_of(int32_t number) {
  const bool defined = number >= 0 && number < static_cast<int32_t>(std::size(kTypes));
  return defined ? &kTypes[number] : nullptr;
}

const ElementInfo& info_of(ElementType type) {
  return kTypes[static_cast<int32_t>(type)];
}

bool is_signed(ElementType type) {
  return type == ElementType::kInt2 || type == ElementType::kInt4 || type == ElementType::kInt8 ||
         type == ElementType::kInt16;
}

bool is_code_type(ElementType type) {
  return is_signed(type) || type == ElementType::kUint2 || type == ElementType::kUint4 ||
         type == ElementType::kUint8 || type == ElementType::kUint16;
}

int32_t lowest(ElementType type) {
  return is_signed(type) ? -(1 << (info_of(type).bits - 1)) : 0;
}

int32_t highest(ElementType type) {
  const int bits = info_of(type).bits;
  return is_signed(type) ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
}

ElementType element_type_of(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return ElementType::kFloat;
    case DType::kF64:
      return ElementType::kDouble;
    case DType::kF16:
      return ElementType::kFloat16;
    case DType::kBF16:
      return ElementType::kBfloat16;
    case DType::kI8:
      return ElementType::kInt8;
    case DType::kU8:
      return ElementType::kUint8;
    case DType::kI16:
      return ElementType::kInt16;
    case DType::kU16:
      return ElementType::kUint16;
    case DType::kI32:
      return ElementType::kInt32;
    case DType::kU32:
      return ElementType::kUint32;
    case DType::kI64:
      return ElementType::kInt64;
    case DType::kU64:
      return ElementType::kUint64;
    case DType::kBool:
      return ElementType::kBool;
  }
  return ElementType::kUndefined;
}

}  // namespace nibble::onnx
