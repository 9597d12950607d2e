#include "deploy/model/infer.h"

namespace nibble::model::infer {
namespace {

/// Broadcasts all inputs from `first` on into output 0.
Status broadcast_inputs(const Node& node, DType dtype, size_t first = 0) {
  Dims dims;
  for (size_t i = first; i < node.inputs.size(); ++i) {
    Result<Dims> joined = broadcast(dims, node.shape(i).dims());
    if (!joined.ok()) return joined.status();
    dims = std::move(joined).value();
  }
  return store(node, 0, dtype, dims);
}

}  // namespace

Status same_as_input(const Node& node) {
  return store(node, 0, node.dtype(0), node.shape(0).dims());
}

Status unary_numeric(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  return same_as_input(node);
}

Status unary_float(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_float(node, 0));
  return same_as_input(node);
}

Status logical_not(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_dtype(node, 0, DType::kBool));
  return same_as_input(node);
}

Status arithmetic(const Node& node) {
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    NIBBLE_RETURN_IF_ERROR(expect_numeric(node, i));
    NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, i));
  }
  return broadcast_inputs(node, node.dtype(0));
}

Status power(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 1));
  return broadcast_inputs(node, node.dtype(0));
}

Status equality(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, 1));
  return broadcast_inputs(node, DType::kBool);
}

Status comparison(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  return equality(node);
}

Status logical(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_dtype(node, 0, DType::kBool));
  return equality(node);
}

Status where(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_dtype(node, 0, DType::kBool));
  NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 1, 2));
  return broadcast_inputs(node, node.dtype(1));
}

Status prelu(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, 1));
  const Result<Dims> joined = broadcast(node.shape(0).dims(), node.shape(1).dims());
  if (!joined.ok()) return joined.status();
  // One-sided: the slope is stretched to x, never x to the slope.
  const bool fits = joined.value().size() == static_cast<size_t>(node.shape(0).rank());
  for (int i = 0; fits && i < node.shape(0).rank(); ++i)
    if (!agree(joined.value()[static_cast<size_t>(i)], node.shape(0)[i]))
      return invalid_argument("expects a slope that broadcasts to " + to_string(node.shape(0)) +
                              ", found " + to_string(node.shape(1)));
  if (!fits)
    return invalid_argument("expects a slope that broadcasts to " + to_string(node.shape(0)) +
                            ", found " + to_string(node.shape(1)));
  return same_as_input(node);
}

Status clip(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (!node.has(i)) continue;
    NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, i));
    const Shape& bound = node.shape(i);
    if (bound.known() && bound.size() != 1)
      return invalid_argument("expects a scalar bound, found " + to_string(bound));
  }
  return same_as_input(node);
}

Status cast(const Node& node) {
  const int64_t to = node.attributes.get_int(Attr::to, 0);
  if (to < 0 || to > 255 || !is_dtype(static_cast<int>(to)))
    return invalid_argument("expects an element type in 'to', found " + std::to_string(to));
  return store(node, 0, static_cast<DType>(to), node.shape(0).dims());
}

}  // namespace nibble::model::infer
