#include <cstring>
#include <type_traits>

#include "deploy/kernels/elementwise/typed.h"

namespace nibble::kernels {
namespace {

/// -x, wrapping for the least integer.
template <class T>
T negate(T x) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(uint64_t{0} - static_cast<uint64_t>(x));
  else
    return -x;
}

template <class T>
TypedUnaryKernel* numeric(TypedUnary f) {
#define NIBBLE_ROW(expression)                      \
  return [](const void* in, void* out, int64_t n) { \
    const T* row = static_cast<const T*>(in);       \
    T* y = static_cast<T*>(out);                    \
    for (int64_t i = 0; i < n; ++i) {               \
      const T x = row[i];                           \
      y[i] = expression;                            \
    }                                               \
  }
  switch (f) {
    case TypedUnary::kNeg:
      NIBBLE_ROW(negate(x));
    case TypedUnary::kAbs:
      NIBBLE_ROW(x < T{0} ? negate(x) : x);
    case TypedUnary::kSign:
      NIBBLE_ROW(x > T{0} ? T{1} : x < T{0} ? negate(T{1}) : x);
    case TypedUnary::kRelu:
      NIBBLE_ROW(x < T{0} ? T{0} : x);
    case TypedUnary::kNot:
      return nullptr;
  }
#undef NIBBLE_ROW
  return nullptr;
}

template <class T>
void clip(const void* in, const void* lo, const void* hi, void* out, int64_t n) {
  const T *x = static_cast<const T*>(in), *low = static_cast<const T*>(lo),
          *high = static_cast<const T*>(hi);
  T* y = static_cast<T*>(out);
  for (int64_t i = 0; i < n; ++i) {
    T v = x[i];
    if (low != nullptr && v < *low) v = *low;
    if (high != nullptr && v > *high) v = *high;
    y[i] = v;
  }
}

template <class T>
void select(const bool* condition, int64_t step_c, const void* left, int64_t a_step,
            const void* right, int64_t b_step, void* out, int64_t n) {
  const T *a = static_cast<const T*>(left), *b = static_cast<const T*>(right);
  T* y = static_cast<T*>(out);
  for (int64_t i = 0; i < n; ++i) y[i] = condition[i * step_c] ? a[i * a_step] : b[i * b_step];
}

bool has_arithmetic(DType dtype) {
  return dtype != DType::kF16 && dtype != DType::kBF16 && dtype != DType::kBool;
}

}  // namespace

TypedUnaryKernel* typed_unary(TypedUnary f, DType dtype) {
  if (dtype == DType::kBool && f == TypedUnary::kNot)
    return [](const void* in, void* out, int64_t n) {
      for (int64_t i = 0; i < n; ++i) static_cast<bool*>(out)[i] = !static_cast<const bool*>(in)[i];
    };
  if (!has_arithmetic(dtype)) return nullptr;
  return visit_dtype(
      dtype, [f]<class T>(std::type_identity<T>) -> TypedUnaryKernel* { return numeric<T>(f); });
}

TypedClipKernel* typed_clip(DType dtype) {
  if (!has_arithmetic(dtype)) return nullptr;
  return visit_dtype(dtype,
                     []<class T>(std::type_identity<T>) -> TypedClipKernel* { return clip<T>; });
}

SelectKernel* select_kernel(size_t bytes) {
  switch (bytes) {
    case 1:
      return select<uint8_t>;
    case 2:
      return select<uint16_t>;
    case 4:
      return select<uint32_t>;
    case 8:
      return select<uint64_t>;
    default:
      return nullptr;
  }
}

}  // namespace nibble::kernels
