#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "deploy/base/dtype.h"

namespace nibble::onnx {

/// TensorProto.DataType with the numbers that are newer than the installed schema.
enum class ElementType : int32_t {
  kUndefined = 0,
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBfloat16 = 16,
  kFloat8E4M3Fn = 17,
  kFloat8E4M3Fnuz = 18,
  kFloat8E5M2 = 19,
  kFloat8E5M2Fnuz = 20,
  kUint4 = 21,
  kInt4 = 22,
  kFloat4E2M1 = 23,
  kFloat8E8M0 = 24,
  kUint2 = 25,
  kInt2 = 26,
};

struct ElementInfo {
  ElementType type;
  std::string_view name;
  int bits;                    // in a file; below 8: packed, least significant first
  std::optional<DType> dtype;  // in memory (all real types: f32; sub-byte integers: a byte each);
                               // empty: not supported
};

/// Everything about the type with this number, or null for a number that ONNX does not define.
const ElementInfo* info_of(int32_t number);
const ElementInfo& info_of(ElementType type);

/// Types whose values are codes of a grid: integers of 2 to 16 bits.
bool is_code_type(ElementType type);
bool is_signed(ElementType type);
/// Smallest and largest code of a code type.
int32_t lowest(ElementType type);
int32_t highest(ElementType type);

/// The ONNX type that stores `dtype`.
ElementType element_type_of(DType dtype);

}  // namespace nibble::onnx
