#include <algorithm>

#include "deploy/model/infer.h"

namespace nibble::model::infer {
namespace {

/// Drops `axes`, or keeps them with length 1.
Dims reduced(const Shape& shape, std::span<const int> axes, bool keep) {
  Dims dims;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i))
      dims.push_back(shape[i]);
    else if (keep)
      dims.push_back(1);
  }
  return dims;
}

}  // namespace

Status reduce(const Node& node) {
  // false < true: bool has a largest and a smallest, but no sum.
  const bool ordered = node.op == Op::kReduceMax || node.op == Op::kReduceMin;
  if (!ordered || node.dtype(0) != DType::kBool) NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  const Shape& x = node.shape(0);
  const bool keep = node.attributes.get_int(Attr::keepdims, 1) != 0;
  Dims listed;
  if (node.has(1)) {
    if (!node.has_value(1)) {
      if (keep)
        return store(node, 0, node.dtype(0), Dims(static_cast<size_t>(x.rank()), kUnknownDim));
      const Result<int64_t> count = length_of(node, 1);
      if (!count.ok()) return count.status();
      if (count.value() <= 0 || count.value() > x.rank()) return needs_value(1);
      return store(node, 0, node.dtype(0),
                   Dims(static_cast<size_t>(x.rank() - count.value()), kUnknownDim));
    }
    Result<Dims> values = integers(node, 1);
    if (!values.ok()) return values.status();
    listed = std::move(values).value();
  } else {
    const auto values = node.attributes.get_ints(Attr::axes);
    listed.assign(values.begin(), values.end());
  }
  if (listed.empty()) {
    if (node.attributes.get_int(Attr::noop_with_empty_axes, 0) != 0) return same_as_input(node);
    for (int i = 0; i < x.rank(); ++i) listed.push_back(i);
  }
  const Result<std::vector<int>> axes = checked_axes(listed, x.rank());
  if (!axes.ok()) return axes.status();
  return store(node, 0, node.dtype(0), reduced(x, axes.value(), keep));
}

Status arg_reduce(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  const Shape& x = node.shape(0);
  const Result<int> axis = checked_axis(node.attributes.get_int(Attr::axis, 0), x.rank());
  if (!axis.ok()) return axis.status();
  if (x[axis.value()] == 0)
    return invalid_argument("expects at least one element along its axis, found " + to_string(x));
  const int axes[] = {axis.value()};
  return store(node, 0, DType::kI64,
               reduced(x, axes, node.attributes.get_int(Attr::keepdims, 1) != 0));
}

Status along_axis(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_float(node, 0));
  const bool flatten = node.attributes.get_int(Attr::flatten_from_axis, 0) != 0;
  const int rank = node.shape(0).rank();
  const int64_t axis = node.attributes.get_int(Attr::axis, flatten ? 1 : -1);
  // The old form cuts the axes in two, so the cut may lie behind the last; a scalar is one row.
  const bool at_end = (flatten && axis == rank) || (rank == 0 && (axis == -1 || axis == 0));
  if (!at_end) {
    const Result<int> checked = checked_axis(axis, rank);
    if (!checked.ok()) return checked.status();
  }
  return same_as_input(node);
}

Status layer_normalization(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_float(node, 0));
  const Shape& x = node.shape(0);
  const Result<int> axis = checked_axis(node.attributes.get_int(Attr::axis, -1), x.rank());
  if (!axis.ok()) return axis.status();
  const auto inner = x.dims().subspan(static_cast<size_t>(axis.value()));
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (!node.has(i)) continue;
    const Result<Dims> joined = broadcast(inner, node.shape(i).dims());
    bool fits = joined.ok() && joined.value().size() == inner.size();
    for (size_t d = 0; fits && d < inner.size(); ++d) fits = agree(joined.value()[d], inner[d]);
    if (!fits)
      return invalid_argument("expects input " + std::to_string(i) + " to broadcast to " +
                              to_string(Shape(inner)) + ", found " + to_string(node.shape(i)));
  }
  // Outputs 1 and 2 (mean, inverse deviation) are binary32 whatever x is.
  Dims statistics = dims_of(x);
  std::fill(statistics.begin() + axis.value(), statistics.end(), 1);
  NIBBLE_RETURN_IF_ERROR(store(node, 1, DType::kF32, statistics));
  NIBBLE_RETURN_IF_ERROR(store(node, 2, DType::kF32, statistics));
  return same_as_input(node);
}

}  // namespace nibble::model::infer
