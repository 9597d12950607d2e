#include "deploy/numeric/quantize.h"

#include <algorithm>
#include <limits>
#include <string>

#include "deploy/numeric/grid.h"
#include "deploy/numeric/scale_index.h"

namespace nibble::numeric {
namespace {

/// Codes pass through a short int32 buffer, so that a grid needs no knowledge of containers.
constexpr int64_t kChunk = 512;

/// Calls f(std::type_identity<T>{}) when `dtype` is an integer that may hold codes, else false.
template <class F>
bool visit_container(DType dtype, F&& f) {
  switch (dtype) {
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
    case DType::kF32:
    case DType::kF64:
    case DType::kF16:
    case DType::kBF16:
    case DType::kU32:
    case DType::kI64:
    case DType::kU64:
    case DType::kBool:
      return false;
  }
  __builtin_unreachable();
}

/// Calls f(first, length, scale) on runs cut to the length of the buffer.
template <class F>
void for_each_chunk(const ScaleIndex& index, F&& f) {
  index.for_each_run([&](int64_t first, int64_t length, size_t unit) {
    for (int64_t i = 0; i < length; i += kChunk) f(first + i, std::min(kChunk, length - i), unit);
  });
}

Status check_real(const TensorView& x) {
  if (x.dtype != DType::kF32)
    return invalid_argument("tensor of " + std::string(name_of(x.dtype)) + ", expected f32");
  return {};
}

Status check_codes(const TensorView& codes, const QuantParams& params) {
  if (!holds_codes(codes.dtype, params))
    return invalid_argument("codes " + std::to_string(params.qmin) + ".." +
                            std::to_string(params.qmax) + " do not fit a container of " +
                            std::string(name_of(codes.dtype)));
  return {};
}

Status check_shapes(const TensorView& from, const TensorView& to) {
  if (from.shape == to.shape) return {};
  return invalid_argument("shape " + to_string(to.shape) + ", expected " + to_string(from.shape));
}

}  // namespace

bool holds_codes(DType dtype, const QuantParams& p) {
  return visit_container(dtype, [&]<class T>(std::type_identity<T>) {
    using Limits = std::numeric_limits<T>;
    return p.qmin >= int64_t{Limits::min()} && p.qmax <= int64_t{Limits::max()};
  });
}

Result<int64_t> quantize(const TensorView& x, const QuantParams& params, const TensorView& codes) {
  NIBBLE_RETURN_IF_ERROR(check_real(x));
  NIBBLE_RETURN_IF_ERROR(check_codes(codes, params));
  NIBBLE_RETURN_IF_ERROR(check_shapes(x, codes));
  NIBBLE_RETURN_IF_ERROR(check(params, x.shape));
  const Grid& grid = grid_of(params.grid);
  int64_t nans = 0;
  visit_container(codes.dtype, [&]<class T>(std::type_identity<T>) {
    int32_t buffer[kChunk];
    for_each_chunk(ScaleIndex(params, x.shape), [&](int64_t first, int64_t n, size_t unit) {
      nans += grid.quantize(x.as<float>() + first, n, params, unit, buffer);
      std::transform(buffer, buffer + n, codes.as<T>() + first,
                     [](int32_t q) { return static_cast<T>(q); });
    });
    return true;
  });
  return nans;
}

Status dequantize(const TensorView& codes, const QuantParams& params, const TensorView& x) {
  NIBBLE_RETURN_IF_ERROR(check_real(x));
  NIBBLE_RETURN_IF_ERROR(check_codes(codes, params));
  NIBBLE_RETURN_IF_ERROR(check_shapes(codes, x));
  NIBBLE_RETURN_IF_ERROR(check(params, x.shape));
  const Grid& grid = grid_of(params.grid);
  visit_container(codes.dtype, [&]<class T>(std::type_identity<T>) {
    int32_t buffer[kChunk];
    for_each_chunk(ScaleIndex(params, x.shape), [&](int64_t first, int64_t n, size_t unit) {
      std::copy_n(codes.as<T>() + first, n, buffer);
      grid.dequantize(buffer, n, params, unit, x.as<float>() + first);
    });
    return true;
  });
  return {};
}

Result<int64_t> fake_quantize(const TensorView& x, const QuantParams& params,
                              const TensorView& out) {
  NIBBLE_RETURN_IF_ERROR(check_real(x));
  NIBBLE_RETURN_IF_ERROR(check_real(out));
  NIBBLE_RETURN_IF_ERROR(check_shapes(x, out));
  NIBBLE_RETURN_IF_ERROR(check(params, x.shape));
  const Grid& grid = grid_of(params.grid);
  int64_t nans = 0;
  int32_t buffer[kChunk];
  for_each_chunk(ScaleIndex(params, x.shape), [&](int64_t first, int64_t n, size_t unit) {
    nans += grid.quantize(x.as<float>() + first, n, params, unit, buffer);
    grid.dequantize(buffer, n, params, unit, out.as<float>() + first);
  });
  return nans;
}

}  // namespace nibble::numeric
