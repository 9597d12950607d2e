#include <algorithm>

#include "deploy/format/format.h"
#include "deploy/model/infer.h"

namespace nibble::model::infer {
namespace {

/// Scale and zero point: a scalar, one value an index of `axis`, or, with block_size, one a block
/// of consecutive elements along `axis`.
Status check_scale(const Node& node) {
  const Shape &x = node.shape(0), &scale = node.shape(1);
  if (node.has(2) && node.shape(2).rank() != scale.rank())
    return invalid_argument("expects a zero point shaped like the scale " + to_string(scale) +
                            ", found " + to_string(node.shape(2)));
  for (int i = 0; node.has(2) && i < scale.rank(); ++i)
    if (!agree(scale[i], node.shape(2)[i]))
      return invalid_argument("expects a zero point shaped like the scale " + to_string(scale) +
                              ", found " + to_string(node.shape(2)));
  if (scale.rank() == 0) return {};
  const int64_t block = node.attributes.get_int(Attr::block_size, 0);
  if (block < 0) return invalid_argument("expects a block_size that is not negative");
  if (block == 0 && scale.rank() == 1 && scale[0] == 1) return {};
  const Result<int> axis = checked_axis(node.attributes.get_int(Attr::axis, 1), x.rank());
  if (!axis.ok()) return axis.status();
  if (block == 0) {
    if (scale.rank() == 1 && agree(scale[0], x[axis.value()])) return {};
    return invalid_argument("expects one scale, or one an index of axis " +
                            std::to_string(axis.value()) + " of " + to_string(x) + ", found " +
                            to_string(scale));
  }
  bool fits = scale.rank() == x.rank();
  for (int i = 0; fits && i < x.rank(); ++i) {
    int64_t wanted = x[i];
    if (i == axis.value() && wanted != kUnknownDim) wanted = wanted / block + (wanted % block != 0);
    fits = agree(scale[i], wanted);
  }
  if (fits) return {};
  return invalid_argument("expects one scale a block of " + std::to_string(block) + " along axis " +
                          std::to_string(axis.value()) + " of " + to_string(x) + ", found " +
                          to_string(scale));
}

bool fits(const Shape& shape, std::span<const int64_t> dims) {
  return std::equal(shape.dims().begin(), shape.dims().end(), dims.begin(), dims.end(), agree);
}

}  // namespace

Status quantize_linear(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  NIBBLE_RETURN_IF_ERROR(check_scale(node));
  DType dtype = is_code(node.outputs[0].dtype) ? node.outputs[0].dtype : DType::kU8;
  if (node.has(2)) {
    NIBBLE_RETURN_IF_ERROR(expect_codes(node, 2));
    dtype = node.dtype(2);
  }
  return store(node, 0, dtype, node.shape(0).dims());
}

Status dequantize_linear(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_codes(node, 0));
  if (node.has(2)) NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, 2));
  NIBBLE_RETURN_IF_ERROR(expect_float(node, 1));
  NIBBLE_RETURN_IF_ERROR(check_scale(node));
  return store(node, 0, node.dtype(1), node.shape(0).dims());
}

Status requantize(const Node& node) {
  // Simulation: real numbers on one grid to real numbers on another.
  if (node.dtype(0) == DType::kF32) return store(node, 0, DType::kF32, node.shape(0).dims());
  NIBBLE_RETURN_IF_ERROR(expect_codes(node, 0));
  const Result<DType> dtype = declared_container(node);
  if (!dtype.ok()) return dtype.status();
  return store(node, 0, dtype.value(), node.shape(0).dims());
}

Status qgemm(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_codes(node, 0));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 0, 1));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 1, 2, 2));
  const Result<DType> dtype = declared_container(node);
  if (!dtype.ok()) return dtype.status();
  Dims dims = dims_of(node.shape(0));
  const Shape& weights = node.shape(1);
  if (!agree(dims.back(), weights[1]))
    return invalid_argument("expects rows of " + std::to_string(weights[1]) + " codes, found " +
                            to_string(node.shape(0)));
  dims.back() = weights[0];
  return store(node, 0, dtype.value(), dims);
}

Status qmatmul(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_codes(node, 0));
  NIBBLE_RETURN_IF_ERROR(expect_codes(node, 1));
  const Result<DType> dtype = declared_container(node);
  if (!dtype.ok()) return dtype.status();
  return matmul(node);
}

Status qelementwise(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_codes(node, 0));
  NIBBLE_RETURN_IF_ERROR(expect_codes(node, 1));
  const Result<DType> dtype = declared_container(node);
  if (!dtype.ok()) return dtype.status();
  const Result<Dims> joined = broadcast(node.shape(0).dims(), node.shape(1).dims());
  if (!joined.ok()) return joined.status();
  return store(node, 0, dtype.value(), joined.value());
}

Status dynamic_quantize(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_dtype(node, 0, DType::kF32));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 0, 1));
  const auto dims = node.shape(0).dims();
  NIBBLE_RETURN_IF_ERROR(store(node, 0, DType::kI8, dims));
  return store(node, 1, DType::kF32, dims.first(dims.size() - 1));
}

Status qgemm_real(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_dtype(node, 0, DType::kI8));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 0, 1));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 1, 2, 2));
  NIBBLE_RETURN_IF_ERROR(expect_dtype(node, 2, DType::kF32));
  Dims dims = dims_of(node.shape(0));
  const int64_t n = node.shape(1)[0], k = node.shape(1)[1];
  const int64_t block = node.attributes.get_int(Attr::block_size, 0);
  if (!agree(dims.back(), k))
    return invalid_argument("expects rows of " + std::to_string(k) + " codes, found " +
                            to_string(node.shape(0)));
  dims.pop_back();
  if (!fits(node.shape(2), dims))
    return invalid_argument("expects row scales of shape " + to_string(Shape(dims)) + ", found " +
                            to_string(node.shape(2)));
  if (node.has(3)) {
    if (block < 1 || k < 1) return invalid_argument("expects a block_size of at least 1");
    const Dims blocks{format::round_up(n, format::kPanelChannels) / format::kPanelChannels,
                      (format::round_up(k, format::kStep) - 1) / block + 1, format::kPanelChannels};
    NIBBLE_RETURN_IF_ERROR(expect_dtype(node, 3, DType::kF32));
    if (node.has(4)) NIBBLE_RETURN_IF_ERROR(expect_dtype(node, 4, DType::kU8));
    for (size_t i : {3, 4})
      if (node.has(i) && !fits(node.shape(i), blocks))
        return invalid_argument("expects weight scales and zeros of shape " +
                                to_string(Shape(blocks)) + ", found " + to_string(node.shape(i)));
  }
  if (node.has(5)) {
    NIBBLE_RETURN_IF_ERROR(expect_dtype(node, 5, DType::kF32));
    if (!fits(node.shape(5), Dims{n}))
      return invalid_argument("expects a bias of " + std::to_string(n) + " values, found " +
                              to_string(node.shape(5)));
  }
  dims.push_back(n);
  return store(node, 0, DType::kF32, dims);
}

}  // namespace nibble::model::infer
