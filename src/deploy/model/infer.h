#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "deploy/base/status.h"
#include "deploy/model/infer_shapes.h"

/// The families of infer_shapes.cc, and what they share. Sizes come from files: sums and products
/// of them go through the checked functions below.
namespace nibble::model::infer {

using Dims = std::vector<int64_t>;

struct Node {
  Op op;
  const Attributes& attributes;
  std::span<const ShapeInput> inputs;
  std::span<ShapeOutput> outputs;

  bool has(size_t i) const { return i < inputs.size() && inputs[i].present; }
  /// A tensor without elements has no data; its value is known all the same.
  bool has_value(size_t i) const {
    return has(i) && (inputs[i].data != nullptr || (shape(i).known() && shape(i).size() == 0));
  }
  const Shape& shape(size_t i) const { return inputs[i].shape; }
  DType dtype(size_t i) const { return inputs[i].dtype; }
  bool channels_last() const { return attributes.get_int(Attr::channels_last, 0) != 0; }
};

// --- values and axes
inline Dims dims_of(const Shape& shape) {
  return {shape.dims().begin(), shape.dims().end()};
}
/// The integers (i64 or i32, rank 0 or 1) of input i, whose value is known.
Result<Dims> integers(const Node& node, size_t i);
/// The number of integers in input i, a vector: its length, or kUnknownDim.
Result<int64_t> length_of(const Node& node, size_t i);
Status needs_value(size_t i);
Result<int> checked_axis(int64_t axis, int rank);
/// `axes` from the front, ascending; an axis named twice is an error.
Result<std::vector<int>> checked_axes(std::span<const int64_t> axes, int rank);

// --- arithmetic on dimensions; unknown with anything but a known 0 is unknown
bool add(int64_t a, int64_t b, int64_t& sum);
bool multiply(int64_t a, int64_t b, int64_t& product);
Status overflow();
Result<Dims> broadcast(std::span<const int64_t> a, std::span<const int64_t> b);
/// Whether two dimensions may be equal.
inline bool agree(int64_t a, int64_t b) {
  return a == b || a == kUnknownDim || b == kUnknownDim;
}

// --- results and element types
/// Dimensions not negative (or unknown), less than 2^56 elements: products of them fit in int64.
Status check_size(const Shape& shape);
/// Sets shape and dtype of output i (if the node has it). Every output passes here: rank at most
/// kMaxRank, check_size.
Status store(const Node& node, size_t i, DType dtype, std::span<const int64_t> dims);
inline bool is_float(DType t) {
  return t == DType::kF32 || t == DType::kF64 || t == DType::kF16 || t == DType::kBF16;
}
inline bool is_code(DType t) {
  return t == DType::kI8 || t == DType::kU8 || t == DType::kI16 || t == DType::kU16 ||
         t == DType::kI32;
}
Status expect_codes(const Node& node, size_t i);
/// Q ops keep the container that the model declares for their output.
Result<DType> declared_container(const Node& node);
Status expect_float(const Node& node, size_t i);
Status expect_numeric(const Node& node, size_t i);
Status expect_dtype(const Node& node, size_t i, DType dtype);
Status expect_same_dtype(const Node& node, size_t i, size_t j);
Status expect_rank(const Node& node, size_t i, int least, int most = kMaxRank);

// --- infer_elementwise.cc
Status same_as_input(const Node& node);  // any element type
Status unary_numeric(const Node& node);
Status unary_float(const Node& node);
Status logical_not(const Node& node);
Status arithmetic(const Node& node);  // any number of operands
Status power(const Node& node);
Status equality(const Node& node);
Status comparison(const Node& node);
Status logical(const Node& node);
Status where(const Node& node);
Status prelu(const Node& node);
Status clip(const Node& node);
Status cast(const Node& node);
// --- infer_matrix.cc
Status gemm(const Node& node);
Status matmul(const Node& node);
// --- infer_spatial.cc, infer_resize.cc
Status conv(const Node& node);
Status qconv(const Node& node);
Status conv_transpose(const Node& node);
Status pool(const Node& node);
Status global_pool(const Node& node);
Status normalise_channels(const Node& node);  // BatchNormalization, InstanceNormalization
Status depth_to_space(const Node& node);
Status space_to_depth(const Node& node);
Status resize(const Node& node);
// --- infer_reduce.cc
Status reduce(const Node& node);
Status arg_reduce(const Node& node);
Status along_axis(const Node& node);  // Softmax, LogSoftmax
Status layer_normalization(const Node& node);
// --- infer_move.cc
Status concat(const Node& node);
Status split(const Node& node);
Status slice(const Node& node);
Status gather(const Node& node);
Status transpose(const Node& node);
Status pad(const Node& node);
Status expand(const Node& node);
Status tile(const Node& node);
// --- infer_reshape.cc
Status reshape(const Node& node);
Status squeeze(const Node& node);
Status unsqueeze(const Node& node);
Status flatten(const Node& node);
Status shape_of(const Node& node);
Status size_of_tensor(const Node& node);
Status constant_of_shape(const Node& node);
Status range(const Node& node);
// --- infer_quant.cc
Status quantize_linear(const Node& node);
Status dequantize_linear(const Node& node);
Status requantize(const Node& node);
Status qgemm(const Node& node);
Status qmatmul(const Node& node);
Status qelementwise(const Node& node);  // QAdd, QMul
Status dynamic_quantize(const Node& node);
Status qgemm_real(const Node& node);

}  // namespace nibble::model::infer
