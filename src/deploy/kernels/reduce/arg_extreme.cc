#include <type_traits>

#include "deploy/kernels/reduce/reduce.h"

namespace nibble::kernels {
namespace {

template <class T, bool kLargest>
void arg_extreme(const void* in, int64_t count, int64_t stride, int64_t width, bool last_of_equals,
                 int64_t* y) {
  const T* x = static_cast<const T*>(in);
  for (int64_t i = 0; i < width; ++i) {
    T best = x[i];
    int64_t where = 0;
    for (int64_t k = 1; k < count; ++k) {
      const T v = x[k * stride + i];
      const bool better = kLargest ? v > best : v < best;
      const bool equal = v == best || (v != v && best != best);
      if (better || (v != v && best == best) || (equal && last_of_equals)) {
        best = v;
        where = k;
      }
    }
    y[i] = where;
  }
}

template <bool kLargest>
ArgKernel* kernel_of(DType dtype) {
  if (dtype == DType::kF16 || dtype == DType::kBF16) return nullptr;
  return visit_dtype(
      dtype, []<class T>(std::type_identity<T>) -> ArgKernel* { return arg_extreme<T, kLargest>; });
}

}  // namespace

ArgKernel* arg_max_kernel(DType dtype) {
  return kernel_of<true>(dtype);
}
ArgKernel* arg_min_kernel(DType dtype) {
  return kernel_of<false>(dtype);
}

}  // namespace nibble::kernels
