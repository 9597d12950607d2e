#include <algorithm>
#include <cmath>
#include <optional>

#include "deploy/model/infer.h"

namespace nibble::model::infer {
namespace {

/// Product of the known dimensions; how many are unknown.
struct Product {
  int64_t known = 1;
  int unknown = 0;
};
Product product_of(const Shape& shape) {
  Product product;  // `store` has bounded the product of every shape
  for (int64_t dim : shape.dims()) {
    if (dim == kUnknownDim)
      ++product.unknown;
    else
      product.known *= dim;
  }
  return product;
}

Status mismatch(const Shape& x, const Dims& target) {
  std::string text;
  for (int64_t dim : target) text += (text.empty() ? "" : ", ") + std::to_string(dim);
  return invalid_argument("expects as many elements as its input has, found " + to_string(x) +
                          " to become [" + text + "]");
}

/// `axes` as input 1 or as attribute; nullopt: neither.
Result<std::optional<Dims>> axes_of(const Node& node) {
  if (node.has(1)) {
    if (!node.has_value(1)) return needs_value(1);
    Result<Dims> values = integers(node, 1);
    if (!values.ok()) return values.status();
    return std::optional<Dims>(std::move(values).value());
  }
  const auto values = node.attributes.get_ints(Attr::axes);
  if (values.empty()) return std::optional<Dims>();
  return std::optional<Dims>(Dims(values.begin(), values.end()));
}

template <class T>
Result<int64_t> range_length(const Node& node) {
  const T start = *static_cast<const T*>(node.inputs[0].data);
  const T limit = *static_cast<const T*>(node.inputs[1].data);
  const T delta = *static_cast<const T*>(node.inputs[2].data);
  if (delta == 0) return invalid_argument("expects a delta that is not 0");
  if constexpr (std::is_floating_point_v<T>) {
    const double n = std::ceil((static_cast<double>(limit) - static_cast<double>(start)) /
                               static_cast<double>(delta));
    if (!(n < 1e15)) return invalid_argument("expects finite bounds and less than 10^15 elements");
    return n > 0 ? static_cast<int64_t>(n) : int64_t{0};
  } else {
    const auto a = static_cast<__int128>(start), b = static_cast<__int128>(limit);
    const auto d = static_cast<__int128>(delta);
    const __int128 span = d > 0 ? b - a : a - b, step = d > 0 ? d : -d;
    if (span <= 0) return int64_t{0};
    const __int128 n = (span - 1) / step + 1;
    if (n > int64_t{1} << 50) return invalid_argument("expects less than 2^50 elements");
    return static_cast<int64_t>(n);
  }
}

}  // namespace

Status reshape(const Node& node) {
  const Shape& x = node.shape(0);
  if (!node.has_value(1)) {
    const Result<int64_t> length = length_of(node, 1);
    if (!length.ok()) return length.status();
    if (length.value() == kUnknownDim) return needs_value(1);
    if (length.value() > kMaxRank)
      return invalid_argument("expects at most " + std::to_string(kMaxRank) +
                              " dimensions, found " + std::to_string(length.value()));
    return store(node, 0, node.dtype(0), Dims(static_cast<size_t>(length.value()), kUnknownDim));
  }
  const Result<Dims> target = integers(node, 1);
  if (!target.ok()) return target.status();
  const bool zero_is_copy = node.attributes.get_int(Attr::allowzero, 0) == 0;
  Dims dims = target.value();
  Product from = product_of(x);
  int64_t to = 1;  // of the dimensions that are neither inferred nor unknown
  std::optional<size_t> inferred;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == -1) {
      if (inferred) return invalid_argument("expects at most one -1 in its shape");
      inferred = i;
    } else if (dims[i] == 0 && zero_is_copy) {
      if (i >= static_cast<size_t>(x.rank()))
        return invalid_argument("expects a dimension to copy (0) at position " + std::to_string(i) +
                                " of " + to_string(x));
      dims[i] = x[static_cast<int>(i)];
      if (dims[i] == kUnknownDim)
        --from.unknown;  // on both sides: cancels
      else if (!multiply(to, dims[i], to))
        return overflow();
    } else if (dims[i] < 0) {
      return invalid_argument("expects dimensions of -1 or more, found " + std::to_string(dims[i]));
    } else if (!multiply(to, dims[i], to)) {
      return overflow();
    }
  }
  if (inferred) {
    if (from.unknown == 0) {
      if (to == 0 || from.known % to != 0) return mismatch(x, target.value());
      dims[*inferred] = from.known / to;
    }
  } else if (from.unknown == 0 && to != from.known) {
    return mismatch(x, target.value());
  }
  return store(node, 0, node.dtype(0), dims);
}

Status squeeze(const Node& node) {
  const Shape& x = node.shape(0);
  const Result<std::optional<Dims>> listed = axes_of(node);
  if (!listed.ok()) return listed.status();
  Dims dims;
  if (!listed.value()) {
    for (int64_t dim : x.dims())
      if (dim != 1) dims.push_back(dim);
    return store(node, 0, node.dtype(0), dims);
  }
  const Result<std::vector<int>> axes = checked_axes(*listed.value(), x.rank());
  if (!axes.ok()) return axes.status();
  for (int i = 0; i < x.rank(); ++i) {
    if (!std::binary_search(axes.value().begin(), axes.value().end(), i))
      dims.push_back(x[i]);
    else if (!agree(x[i], 1))
      return invalid_argument("expects length 1 along axis " + std::to_string(i) + ", found " +
                              to_string(x));
  }
  return store(node, 0, node.dtype(0), dims);
}

Status unsqueeze(const Node& node) {
  const Shape& x = node.shape(0);
  if (!node.has_value(1)) {
    const Result<int64_t> length = length_of(node, 1);
    if (!length.ok()) return length.status();
    if (length.value() == kUnknownDim || length.value() > kMaxRank) return needs_value(1);
    return store(node, 0, node.dtype(0),
                 Dims(static_cast<size_t>(x.rank() + length.value()), kUnknownDim));
  }
  const Result<Dims> listed = integers(node, 1);
  if (!listed.ok()) return listed.status();
  if (listed.value().size() > static_cast<size_t>(kMaxRank))
    return invalid_argument("expects at most " + std::to_string(kMaxRank) + " axes");
  const int rank = x.rank() + static_cast<int>(listed.value().size());
  const Result<std::vector<int>> axes = checked_axes(listed.value(), rank);
  if (!axes.ok()) return axes.status();
  Dims dims = dims_of(x);
  for (int axis : axes.value()) dims.insert(dims.begin() + axis, 1);
  return store(node, 0, node.dtype(0), dims);
}

Status flatten(const Node& node) {
  const Shape& x = node.shape(0);
  int64_t axis = node.attributes.get_int(Attr::axis, 1);
  if (axis < -x.rank() || axis > x.rank())
    return invalid_argument("expects an axis from " + std::to_string(-x.rank()) + " to " +
                            std::to_string(x.rank()) + ", found " + std::to_string(axis));
  if (axis < 0) axis += x.rank();
  Dims dims{1, 1};
  for (int i = 0; i < x.rank(); ++i)
    if (int64_t& dim = dims[i < axis ? 0 : 1]; !multiply(dim, x[i], dim)) return overflow();
  return store(node, 0, node.dtype(0), dims);
}

Status shape_of(const Node& node) {
  const int64_t rank = node.shape(0).rank();
  const auto position = [&](int64_t p) {
    return std::clamp<int64_t>(p < 0 ? p + rank : p, 0, rank);
  };
  const int64_t start = position(node.attributes.get_int(Attr::start, 0));
  const int64_t end = position(node.attributes.get_int(Attr::end, rank));
  return store(node, 0, DType::kI64, Dims{std::max<int64_t>(0, end - start)});
}

Status size_of_tensor(const Node& node) {
  return store(node, 0, DType::kI64, {});
}

Status constant_of_shape(const Node& node) {
  DType dtype = DType::kF32;
  if (node.has(1)) {
    if (node.shape(1).known() && node.shape(1).size() != 1)
      return invalid_argument("expects one value to fill with, found " + to_string(node.shape(1)));
    dtype = node.dtype(1);
  }
  if (!node.has_value(0)) {
    const Result<int64_t> length = length_of(node, 0);
    if (!length.ok()) return length.status();
    if (length.value() == kUnknownDim || length.value() > kMaxRank) return needs_value(0);
    return store(node, 0, dtype, Dims(static_cast<size_t>(length.value()), kUnknownDim));
  }
  const Result<Dims> dims = integers(node, 0);
  if (!dims.ok()) return dims.status();
  for (int64_t dim : dims.value())
    if (dim < 0)
      return invalid_argument("expects dimensions that are not negative, found " +
                              std::to_string(dim));
  return store(node, 0, dtype, dims.value());
}

Status range(const Node& node) {
  for (size_t i = 0; i < 3; ++i) {
    NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, i));
    if (node.shape(i).known() && node.shape(i).size() != 1)
      return invalid_argument("expects scalars, found " + to_string(node.shape(i)) + " as input " +
                              std::to_string(i));
  }
  if (!node.has_value(0) || !node.has_value(1) || !node.has_value(2))
    return store(node, 0, node.dtype(0), Dims{kUnknownDim});
  const Result<int64_t> length =
      node.dtype(0) == DType::kI64   ? range_length<int64_t>(node)
      : node.dtype(0) == DType::kI32 ? range_length<int32_t>(node)
      : node.dtype(0) == DType::kI16 ? range_length<int16_t>(node)
      : node.dtype(0) == DType::kF32 ? range_length<float>(node)
      : node.dtype(0) == DType::kF64
          ? range_length<double>(node)
          : invalid_argument("expects i64, i32, i16, f32 or f64, found " +
                             std::string(name_of(node.dtype(0))));
  if (!length.ok()) return length.status();
  return store(node, 0, node.dtype(0), Dims{length.value()});
}

}  // namespace nibble::model::infer
