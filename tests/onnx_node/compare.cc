#include "tests/onnx_node/compare.h"

#include <cmath>
#include <type_traits>

namespace nibble {
namespace {

template <class T>
bool agree(T got, T want) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got);
    if (std::isinf(want) || std::isinf(got)) return want == got;
    return std::abs(got - want) <= T(1e-7) + T(1e-3) * std::abs(want);
  } else {
    return got == want;
  }
}

}  // namespace

std::string difference(const TensorView& got, const TensorView& want) {
  if (got.dtype != want.dtype)
    return "found " + std::string(name_of(got.dtype)) + ", expected " +
           std::string(name_of(want.dtype));
  if (!(got.shape == want.shape))
    return "found " + to_string(got.shape) + ", expected " + to_string(want.shape);
  return visit_dtype(want.dtype, [&]<class T>(std::type_identity<T>) -> std::string {
    const auto a = got.span<const T>(), b = want.span<const T>();
    for (size_t i = 0; i < b.size(); ++i)
      if (!agree<T>(a[i], b[i]))
        return "element " + std::to_string(i) + " of " + to_string(want.shape) + " is " +
               std::to_string(a[i]) + ", expected " + std::to_string(b[i]);
    return {};
  });
}

}  // namespace nibble
