#include "deploy/model/infer.h"

#include <algorithm>

namespace nibble::model::infer {

Result<Dims> integers(const Node& node, size_t i) {
  const ShapeInput& input = node.inputs[i];
  if (input.shape.rank() > 1)
    return invalid_argument("expects input " + std::to_string(i) + " to be a vector, found " +
                            to_string(input.shape));
  const auto n = static_cast<size_t>(input.shape.size());
  if (input.dtype == DType::kI64) {
    const auto* values = static_cast<const int64_t*>(input.data);
    return Dims(values, values + n);
  }
  if (input.dtype == DType::kI32) {
    const auto* values = static_cast<const int32_t*>(input.data);
    return Dims(values, values + n);
  }
  return invalid_argument("expects integers (i64) as input " + std::to_string(i) + ", found " +
                          std::string(name_of(input.dtype)));
}

Result<int64_t> length_of(const Node& node, size_t i) {
  const Shape& shape = node.shape(i);
  if (shape.rank() != 1)
    return invalid_argument("expects input " + std::to_string(i) + " to be a vector, found " +
                            to_string(shape));
  return shape[0];
}

Status needs_value(size_t i) {
  return unsupported("needs the value of input " + std::to_string(i));
}

Result<int> checked_axis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    return invalid_argument("expects an axis from " + std::to_string(-rank) + " to " +
                            std::to_string(rank - 1) + ", found " + std::to_string(axis));
  return normalize_axis(axis, rank);
}

Result<std::vector<int>> checked_axes(std::span<const int64_t> axes, int rank) {
  std::vector<int> result;
  for (int64_t axis : axes) {
    const Result<int> checked = checked_axis(axis, rank);
    if (!checked.ok()) return checked.status();
    result.push_back(checked.value());
  }
  std::sort(result.begin(), result.end());
  if (std::adjacent_find(result.begin(), result.end()) != result.end())
    return invalid_argument("expects each axis once");
  return result;
}

bool add(int64_t a, int64_t b, int64_t& sum) {
  return !__builtin_add_overflow(a, b, &sum);
}

bool multiply(int64_t a, int64_t b, int64_t& product) {
  if (a == 0 || b == 0) {
    product = 0;
    return true;
  }
  if (a == kUnknownDim || b == kUnknownDim) {
    product = kUnknownDim;
    return true;
  }
  return !__builtin_mul_overflow(a, b, &product);
}

Status overflow() {
  return invalid_argument("expects sizes that fit in 64 bits");
}

Result<Dims> broadcast(std::span<const int64_t> a, std::span<const int64_t> b) {
  if (a.size() < b.size()) std::swap(a, b);
  Dims result(a.begin(), a.end());
  const size_t shift = a.size() - b.size();
  for (size_t i = 0; i < b.size(); ++i) {
    int64_t& x = result[i + shift];
    const int64_t y = b[i];
    if (x == y || y == 1) continue;
    if (x == 1) {
      x = y;
    } else if (x == kUnknownDim) {
      x = y;  // an unknown dimension against n > 1 or 0 is n, or the shapes clash at run time
    } else if (y != kUnknownDim) {
      return invalid_argument("expects shapes that broadcast, found " + to_string(Shape(a)) +
                              " and " + to_string(Shape(b)));
    }
  }
  return result;
}

Status check_size(const Shape& shape) {
  int64_t elements = 1;
  for (int64_t dim : shape.dims()) {
    if (dim < kUnknownDim)
      return invalid_argument("expects dimensions that are not negative, found " +
                              to_string(shape));
    if (dim > 0 && (!multiply(elements, dim, elements) || elements >= int64_t{1} << 56))
      return invalid_argument("expects less than 2^56 elements, found " + to_string(shape));
  }
  return {};
}

Status store(const Node& node, size_t i, DType dtype, std::span<const int64_t> dims) {
  if (dims.size() > static_cast<size_t>(kMaxRank))
    return invalid_argument("expects at most " + std::to_string(kMaxRank) +
                            " dimensions, its output has " + std::to_string(dims.size()));
  const Shape shape(dims);
  NIBBLE_RETURN_IF_ERROR(check_size(shape));
  if (i < node.outputs.size()) node.outputs[i] = {dtype, shape};
  return {};
}

Status expect_float(const Node& node, size_t i) {
  if (is_float(node.dtype(i))) return {};
  return invalid_argument("expects real numbers as input " + std::to_string(i) + ", found " +
                          std::string(name_of(node.dtype(i))));
}

Status expect_numeric(const Node& node, size_t i) {
  if (node.dtype(i) != DType::kBool) return {};
  return invalid_argument("expects numbers as input " + std::to_string(i) + ", found bool");
}

Status expect_dtype(const Node& node, size_t i, DType dtype) {
  if (node.dtype(i) == dtype) return {};
  return invalid_argument("expects " + std::string(name_of(dtype)) + " as input " +
                          std::to_string(i) + ", found " + std::string(name_of(node.dtype(i))));
}

Status expect_same_dtype(const Node& node, size_t i, size_t j) {
  if (node.dtype(i) == node.dtype(j)) return {};
  return invalid_argument("expects one element type, found " + std::string(name_of(node.dtype(i))) +
                          " as input " + std::to_string(i) + " and " +
                          std::string(name_of(node.dtype(j))) + " as input " + std::to_string(j));
}

Status expect_rank(const Node& node, size_t i, int least, int most) {
  const int rank = node.shape(i).rank();
  if (rank >= least && rank <= most) return {};
  return invalid_argument(
      "expects " + std::to_string(least) + (most == least ? "" : " to " + std::to_string(most)) +
      " dimensions of input " + std::to_string(i) + ", found " + to_string(node.shape(i)));
}

Status expect_codes(const Node& node, size_t i) {
  if (is_code(node.dtype(i))) return {};
  return invalid_argument("expects integer codes as input " + std::to_string(i) + ", found " +
                          std::string(name_of(node.dtype(i))));
}

Result<DType> declared_container(const Node& node) {
  const DType dtype = node.outputs[0].dtype;
  if (is_code(dtype)) return dtype;
  return invalid_argument("expects an output of integer codes, declared is " +
                          std::string(name_of(dtype)));
}

}  // namespace nibble::model::infer
