#include <limits>
#include <type_traits>

#include "deploy/kernels/reduce/reduce.h"

namespace nibble::kernels {
namespace {

template <class T, Fold kFold>
T combine(T a, T b) {
  if constexpr (kFold == Fold::kMax) return b > a || b != b ? b : a;
  if constexpr (kFold == Fold::kMin) return b < a || b != b ? b : a;
  if constexpr (std::is_floating_point_v<T>) return kFold == Fold::kSum ? a + b : a * b;
  // Unsigned 64-bit arithmetic wraps to the right low bits of every integer type.
  const auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
  return static_cast<T>(kFold == Fold::kSum ? x + y : x * y);
}

template <class T, Fold kFold>
void fold(const void* in, int64_t count, int64_t stride, int64_t width, void* out) {
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  if (width == 1) {
    T value = *y;
    for (int64_t k = 0; k < count; ++k) value = combine<T, kFold>(value, x[k * stride]);
    *y = value;
    return;
  }
  for (int64_t k = 0; k < count; ++k)
    for (int64_t i = 0; i < width; ++i) y[i] = combine<T, kFold>(y[i], x[k * stride + i]);
}

template <class T>
T identity(Fold f) {
  using Limits = std::numeric_limits<T>;
  switch (f) {
    case Fold::kSum:
      return T(0);
    case Fold::kProduct:
      return T(1);
    case Fold::kMax:
      return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    case Fold::kMin:
      return Limits::has_infinity ? Limits::infinity() : Limits::max();
  }
  return T(0);
}

}  // namespace

FoldKernel* fold_kernel(Fold f, DType dtype) {
  if (dtype == DType::kF16 || dtype == DType::kBF16) return nullptr;
  return visit_dtype(dtype, [f]<class T>(std::type_identity<T>) -> FoldKernel* {
    switch (f) {
      case Fold::kSum:
        return std::is_same_v<T, bool> ? nullptr : fold<T, Fold::kSum>;
      case Fold::kProduct:
        return std::is_same_v<T, bool> ? nullptr : fold<T, Fold::kProduct>;
      case Fold::kMax:
        return fold<T, Fold::kMax>;
      case Fold::kMin:
        return fold<T, Fold::kMin>;
    }
    return nullptr;
  });
}

void fill_identity(Fold f, DType dtype, int64_t n, void* y) {
  visit_dtype(dtype, [&]<class T>(std::type_identity<T>) {
    const T value = identity<T>(f);
    for (int64_t i = 0; i < n; ++i) static_cast<T*>(y)[i] = value;
  });
}

}  // namespace nibble::kernels
