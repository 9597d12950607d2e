#include "quant/data/convert.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

namespace nibble::data {
namespace {

bool is_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF64 || dtype == DType::kF16;
}

/// IEEE binary16 bits to binary32, exact.
float half_to_float(uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  float value;
  if (exponent == 31)
    value = fraction ? NAN : INFINITY;
  else if (exponent == 0)
    value = std::ldexp(static_cast<float>(fraction), -24);
  else
    value = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return bits & 0x8000 ? -value : value;
}

template <class T>
T load(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

template <class From, class To>
std::optional<std::string> convert_numbers(bool half, std::span<const std::byte> in,
                                           std::span<std::byte> out) {
  const size_t count = in.size() / sizeof(From);
  for (size_t i = 0; i < count; ++i) {
    const From stored = load<From>(&in[i * sizeof(From)]);
    To value{};
    if constexpr (std::is_floating_point_v<To>) {
      value = half ? static_cast<To>(half_to_float(static_cast<uint16_t>(stored)))
                   : static_cast<To>(stored);
      if (std::isnan(value)) return "element " + std::to_string(i) + " is NaN";
    } else if constexpr (std::is_integral_v<From>) {
      // bool counts as 0 or 1; in_range does not take it.
      const auto number = [stored] {
        if constexpr (std::is_same_v<From, bool>)
          return static_cast<int>(stored);
        else
          return stored;
      }();
      bool holds;
      if constexpr (std::is_same_v<To, bool>)
        holds = number == 0 || number == 1;
      else
        holds = std::in_range<To>(number);
      if (!holds) return "element " + std::to_string(i) + " is " + std::to_string(number);
      value = static_cast<To>(number);
    }
    std::memcpy(&out[i * sizeof(To)], &value, sizeof(To));
  }
  return {};
}

}  // namespace

bool convertible(DType from, DType to) {
  if (from == DType::kBF16 || to == DType::kBF16) return false;
  if (to == DType::kF16) return false;
  return is_float(to) || !is_float(from);
}

std::optional<std::string> convert(DType from, std::span<const std::byte> in, DType to,
                                   std::span<std::byte> out) {
  std::optional<std::string> fault;
  visit_dtype(from, [&]<class From>(std::type_identity<From>) {
    visit_dtype(to, [&]<class To>(std::type_identity<To>) {
      fault = convert_numbers<From, To>(from == DType::kF16, in, out);
    });
  });
  return fault;
}

}  // namespace nibble::data
