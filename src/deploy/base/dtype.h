#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nibble::inline base {

/// Element types of tensors in memory. Codes narrower than 8 bits live in kI8/kU8 containers; their
/// width is QuantParams::bits, and their packed form is a format (format/format.h).
/// The numbers are stored in .nbl files: never renumber.
enum class DType : uint8_t {
  kF32 = 1,
  kF64 = 2,
  kF16 = 3,   // storage only
  kBF16 = 4,  // storage only
  kI8 = 5,
  kU8 = 6,
  kI16 = 7,
  kU16 = 8,
  kI32 = 9,
  kU32 = 10,
  kI64 = 11,
  kU64 = 12,
  kBool = 13,  // one byte, 0 or 1
};

/// Calls `f(std::type_identity<T>{})` with the C++ type of `dtype`; F16/BF16 come as uint16_t bits.
template <class F>
decltype(auto) visit_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kF32:
      return f(std::type_identity<float>{});
    case DType::kF64:
      return f(std::type_identity<double>{});
    case DType::kF16:
      return f(std::type_identity<uint16_t>{});
    case DType::kBF16:
      return f(std::type_identity<uint16_t>{});
    case DType::kI8:
      return f(std::type_identity<int8_t>{});
    case DType::kU8:
      return f(std::type_identity<uint8_t>{});
    case DType::kI16:
      return f(std::type_identity<int16_t>{});
    case DType::kU16:
      return f(std::type_identity<uint16_t>{});
    case DType::kI32:
      return f(std::type_identity<int32_t>{});
    case DType::kU32:
      return f(std::type_identity<uint32_t>{});
    case DType::kI64:
      return f(std::type_identity<int64_t>{});
    case DType::kU64:
      return f(std::type_identity<uint64_t>{});
    case DType::kBool:
      return f(std::type_identity<bool>{});
  }
  __builtin_unreachable();
}

inline size_t size_of(DType dtype) {
  return visit_dtype(dtype, []<class T>(std::type_identity<T>) { return sizeof(T); });
}

/// True for a number that names a DType (numbers come from files).
inline bool is_dtype(int number) {
  return number >= 1 && number <= 13;
}

constexpr std::string_view name_of(DType dtype) {
  constexpr std::string_view kNames[] = {"?",   "f32", "f64", "f16", "bf16", "i8",  "u8",
                                         "i16", "u16", "i32", "u32", "i64",  "u64", "bool"};
  return kNames[static_cast<int>(dtype)];
}

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return DType::kF32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::kF64;
  else if constexpr (std::is_same_v<T, int8_t>)
    return DType::kI8;
  else if constexpr (std::is_same_v<T, uint8_t>)
    return DType::kU8;
  else if constexpr (std::is_same_v<T, int16_t>)
    return DType::kI16;
  else if constexpr (std::is_same_v<T, uint16_t>)
    return DType::kU16;
  else if constexpr (std::is_same_v<T, int32_t>)
    return DType::kI32;
  else if constexpr (std::is_same_v<T, uint32_t>)
    return DType::kU32;
  else if constexpr (std::is_same_v<T, int64_t>)
    return DType::kI64;
  else if constexpr (std::is_same_v<T, uint64_t>)
    return DType::kU64;
  else {
    static_assert(std::is_same_v<T, bool>);
    return DType::kBool;
  }
}

}  // namespace nibble::inline base
