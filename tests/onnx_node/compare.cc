#include "tests/onnx_node/compare.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <type_traits>

namespace nibble {
namespace {

template <class T>
bool agree(T got, T want, double absolute, double relative) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got);
    if (std::isinf(want) || std::isinf(got)) return want == got;
    return std::abs(double(got) - double(want)) <= absolute + relative * std::abs(double(want));
  } else {
    return got == want;
  }
}

/// Largest finite magnitude of reals; 0 for integers.
template <class T>
double largest(std::span<const T> values) {
  double most = 0;
  if constexpr (std::is_floating_point_v<T>)
    for (T v : values)
      if (std::isfinite(v)) most = std::max(most, std::abs(static_cast<double>(v)));
  return most;
}

}  // namespace

std::string difference(const TensorView& got, const TensorView& want, const Tolerance& tolerance) {
  if (got.dtype != want.dtype)
    return "found " + std::string(name_of(got.dtype)) + ", expected " +
           std::string(name_of(want.dtype));
  if (!(got.shape == want.shape))
    return "found " + to_string(got.shape) + ", expected " + to_string(want.shape);
  return visit_dtype(want.dtype, [&]<class T>(std::type_identity<T>) -> std::string {
    const auto a = got.span<const T>(), b = want.span<const T>();
    const double absolute = tolerance.absolute + tolerance.of_largest * largest<T>(b);
    for (size_t i = 0; i < b.size(); ++i)
      if (!agree<T>(a[i], b[i], absolute, tolerance.relative))
        return "element " + std::to_string(i) + " of " + to_string(want.shape) + " is " +
               std::to_string(a[i]) + ", expected " + std::to_string(b[i]);
    return {};
  });
}

}  // namespace nibble
