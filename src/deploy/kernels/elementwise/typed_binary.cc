#include <cmath>
#include <limits>
#include <type_traits>

#include "deploy/kernels/elementwise/typed.h"

namespace nibble::kernels {
namespace {

/// Wrapping arithmetic: on the unsigned type, at least as wide as int so that no promotion
/// overflows.
template <class T>
using Wrap = std::make_unsigned_t<std::conditional_t<(sizeof(T) < sizeof(int)), int, T>>;

template <class T>
T add(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<Wrap<T>>(a) + static_cast<Wrap<T>>(b));
  else
    return a + b;
}
template <class T>
T subtract(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<Wrap<T>>(a) - static_cast<Wrap<T>>(b));
  else
    return a - b;
}
template <class T>
T multiply(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<Wrap<T>>(a) * static_cast<Wrap<T>>(b));
  else
    return a * b;
}
template <class T>
T divide(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return subtract(T{0}, a);
    return static_cast<T>(a / b);
  } else {
    return a / b;
  }
}
template <class T>
T remainder(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return 0;
    return static_cast<T>(a % b);
  } else {
    return std::fmod(a, b);  // exact by definition
  }
}
template <class T>
T modulo(T a, T b) {
  const T r = remainder(a, b);
  if constexpr (!std::is_unsigned_v<T>)
    if (r != 0 && (r < 0) != (b < 0)) return static_cast<T>(r + b);
  return r;
}
template <class T>
T power(T a, T b) {
  if constexpr (std::is_signed_v<T>)
    if (b < 0) return a == 1 ? T{1} : a == -1 ? (b % 2 == 0 ? T{1} : T{-1}) : T{0};
  T y = 1;
  for (; b > 0; b = static_cast<T>(b / 2)) {
    if (b % 2 != 0) y = multiply(y, a);
    a = multiply(a, a);
  }
  return y;
}
template <class T>
bool is_nan(T a) {
  return a != a;
}

template <class T, class Y, class F>
void rows(const void* left, int64_t a_step, const void* right, int64_t b_step, void* out, int64_t n,
          F f) {
  const T *a = static_cast<const T*>(left), *b = static_cast<const T*>(right);
  Y* y = static_cast<Y*>(out);
  for (int64_t i = 0; i < n; ++i) y[i] = f(a[i * a_step], b[i * b_step]);
}

#define NIBBLE_ROWS(Y, expression)                                                             \
  return [](const void* left, int64_t a_step, const void* right, int64_t b_step, void* out,    \
            int64_t n) {                                                                       \
    rows<T, Y>(left, a_step, right, b_step, out, n, [](T a, T b) -> Y { return expression; }); \
  }

template <class T>
TypedBinaryKernel* arithmetic(TypedBinary f) {
  switch (f) {
    case TypedBinary::kAdd:
      NIBBLE_ROWS(T, add(a, b));
    case TypedBinary::kSub:
      NIBBLE_ROWS(T, subtract(a, b));
    case TypedBinary::kMul:
      NIBBLE_ROWS(T, multiply(a, b));
    case TypedBinary::kDiv:
      NIBBLE_ROWS(T, divide(a, b));
    case TypedBinary::kMod:
      NIBBLE_ROWS(T, modulo(a, b));
    case TypedBinary::kRemainder:
      NIBBLE_ROWS(T, remainder(a, b));
    case TypedBinary::kMin:
      NIBBLE_ROWS(T, a < b || is_nan(a) ? a : b);
    case TypedBinary::kMax:
      NIBBLE_ROWS(T, a > b || is_nan(a) ? a : b);
    case TypedBinary::kPRelu:
      NIBBLE_ROWS(T, a < T{0} ? multiply(a, b) : a);
    case TypedBinary::kPow:
      if constexpr (std::is_integral_v<T>)
        NIBBLE_ROWS(T, power(a, b));
      else
        return nullptr;
    case TypedBinary::kEqual:
      NIBBLE_ROWS(bool, a == b);
    case TypedBinary::kLess:
      NIBBLE_ROWS(bool, a < b);
    case TypedBinary::kLessOrEqual:
      NIBBLE_ROWS(bool, a <= b);
    case TypedBinary::kGreater:
      NIBBLE_ROWS(bool, a > b);
    case TypedBinary::kGreaterOrEqual:
      NIBBLE_ROWS(bool, a >= b);
    case TypedBinary::kAnd:
    case TypedBinary::kOr:
    case TypedBinary::kXor:
      return nullptr;
  }
  return nullptr;
}

TypedBinaryKernel* logical(TypedBinary f) {
  using T = bool;
  if (f == TypedBinary::kEqual) NIBBLE_ROWS(bool, a == b);
  if (f == TypedBinary::kAnd) NIBBLE_ROWS(bool, a&& b);
  if (f == TypedBinary::kOr) NIBBLE_ROWS(bool, a || b);
  if (f == TypedBinary::kXor) NIBBLE_ROWS(bool, a != b);
  return nullptr;
}

#undef NIBBLE_ROWS

}  // namespace

TypedBinaryKernel* typed_binary(TypedBinary f, DType dtype) {
  if (dtype == DType::kF16 || dtype == DType::kBF16) return nullptr;
  if (dtype == DType::kBool) return logical(f);
  return visit_dtype(dtype, [f]<class T>(std::type_identity<T>) -> TypedBinaryKernel* {
    if constexpr (std::is_same_v<T, bool>)
      return nullptr;
    else
      return arithmetic<T>(f);
  });
}

}  // namespace nibble::kernels
