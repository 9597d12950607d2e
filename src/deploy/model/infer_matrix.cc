#include "deploy/model/infer.h"

namespace nibble::model::infer {

Status gemm(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, 1));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 0, 2, 2));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 1, 2, 2));
  const bool a_transposed = node.attributes.get_int(Attr::transA, 0) != 0;
  const bool b_transposed = node.attributes.get_int(Attr::transB, 0) != 0;
  const Shape &a = node.shape(0), &b = node.shape(1);
  const int64_t m = a[a_transposed ? 1 : 0], k = a[a_transposed ? 0 : 1];
  const int64_t n = b[b_transposed ? 0 : 1], k_b = b[b_transposed ? 1 : 0];
  if (!agree(k, k_b))
    return invalid_argument("expects inner dimensions that agree, found " + to_string(a) + " and " +
                            to_string(b));
  if (node.has(2)) {
    NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, 2));
    const Dims product{m, n};
    const Result<Dims> sum = broadcast(product, node.shape(2).dims());
    if (!sum.ok() || sum.value().size() != 2 || !agree(sum.value()[0], m) ||
        !agree(sum.value()[1], n))
      return invalid_argument("expects C to broadcast to " + to_string(Shape(product)) +
                              ", found " + to_string(node.shape(2)));
  }
  return store(node, 0, node.dtype(0), Dims{m, n});
}

Status matmul(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 0, 1));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 1, 1));
  if (node.op == Op::kMatMul) NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, 1));
  // As in NumPy: a vector is a row on the left, a column on the right, and its axis is dropped.
  const auto a = node.shape(0).dims(), b = node.shape(1).dims();
  const bool a_vector = a.size() == 1, b_vector = b.size() == 1;
  if (!agree(a.back(), b[b_vector ? 0 : b.size() - 2]))
    return invalid_argument("expects inner dimensions that agree, found " +
                            to_string(node.shape(0)) + " and " + to_string(node.shape(1)));
  const Result<Dims> batch =
      broadcast(a.first(a_vector ? 0 : a.size() - 2), b.first(b_vector ? 0 : b.size() - 2));
  if (!batch.ok()) return batch.status();
  Dims dims = batch.value();
  if (!a_vector) dims.push_back(a[a.size() - 2]);
  if (!b_vector) dims.push_back(b.back());
  const DType dtype = node.op == Op::kMatMul ? node.dtype(0) : node.outputs[0].dtype;
  return store(node, 0, dtype, dims);
}

}  // namespace nibble::model::infer
