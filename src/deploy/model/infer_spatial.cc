#include <algorithm>

#include "deploy/model/infer.h"
#include "deploy/model/window.h"

namespace nibble::model::infer {
namespace {

/// Axes of data: N first, then C and space in either order.
int channel_axis(const Node& node) {
  return node.channels_last() ? node.shape(0).rank() - 1 : 1;
}
std::span<const int64_t> spatial(const Shape& shape, bool channels_last) {
  return shape.dims().subspan(channels_last ? 1 : 2, static_cast<size_t>(shape.rank()) - 2);
}

/// [N, C, space...] or [N, space..., C] of output 0.
Status store_image(const Node& node, DType dtype, int64_t n, int64_t c,
                   std::span<const int64_t> space, bool channels_last) {
  Dims dims{n};
  if (!channels_last) dims.push_back(c);
  dims.insert(dims.end(), space.begin(), space.end());
  if (channels_last) dims.push_back(c);
  return store(node, 0, dtype, dims);
}

Result<Dims> outputs_of(const Node& node, std::span<const int64_t> input,
                        std::span<const int64_t> kernel) {
  const Result<std::vector<Window>> windows =
      resolve_windows(node.op, node.attributes, input, kernel);
  if (!windows.ok()) return windows.status();
  Dims dims;
  for (const Window& w : windows.value()) dims.push_back(w.output);
  return dims;
}

/// kernel_shape, where given, repeats what the weights say.
Status check_kernel_shape(const Node& node, std::span<const int64_t> kernel) {
  const auto stated = node.attributes.get_ints(Attr::kernel_shape);
  if (stated.empty() ||
      Shape(stated.first(std::min(stated.size(), size_t{kMaxRank}))) == Shape(kernel))
    return {};
  return invalid_argument(
      "expects weights with the kernel_shape " +
      to_string(Shape(stated.first(std::min(stated.size(), size_t{kMaxRank})))) + ", found " +
      to_string(node.shape(1)));
}

Status check_bias(const Node& node, int64_t channels) {
  if (!node.has(2)) return {};
  const Shape& bias = node.shape(2);
  if (bias.rank() == 1 && agree(bias[0], channels)) return {};
  return invalid_argument("expects a bias of " + std::to_string(channels) + " values, found " +
                          to_string(bias));
}

Result<int64_t> groups_of(const Node& node) {
  const int64_t groups = node.attributes.get_int(Attr::group, 1);
  if (groups < 1)
    return invalid_argument("expects a positive group, found " + std::to_string(groups));
  return groups;
}

/// Conv and QConv. The weights have O first, then C/group and kernel in the order of the data.
Status convolve(const Node& node, DType dtype, bool channels_last) {
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 0, 3, 5));
  const Shape &x = node.shape(0), &w = node.shape(1);
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 1, x.rank(), x.rank()));
  const Result<int64_t> groups = groups_of(node);
  if (!groups.ok()) return groups.status();
  const int axis = channels_last ? x.rank() - 1 : 1;
  int64_t channels;
  if (!multiply(w[axis], groups.value(), channels)) return overflow();
  if (!agree(x[axis], channels))
    return invalid_argument("expects " + std::to_string(channels) + " input channels (weights " +
                            to_string(w) + ", group " + std::to_string(groups.value()) +
                            "), found " + to_string(x));
  if (w[0] != kUnknownDim && w[0] % groups.value() != 0)
    return invalid_argument("expects output channels that divide into " +
                            std::to_string(groups.value()) + " groups, found " +
                            std::to_string(w[0]));
  const auto kernel = spatial(w, channels_last);
  NIBBLE_RETURN_IF_ERROR(check_kernel_shape(node, kernel));
  NIBBLE_RETURN_IF_ERROR(check_bias(node, w[0]));
  const Result<Dims> space = outputs_of(node, spatial(x, channels_last), kernel);
  if (!space.ok()) return space.status();
  return store_image(node, dtype, x[0], w[0], space.value(), channels_last);
}

}  // namespace

Status conv(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_float(node, 0));
  NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, 1));
  if (node.has(2)) NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, 2));
  return convolve(node, node.dtype(0), node.channels_last());
}

Status qconv(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_codes(node, 0));
  const Result<DType> dtype = declared_container(node);
  if (!dtype.ok()) return dtype.status();
  return convolve(node, dtype.value(), true);
}

Status conv_transpose(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_float(node, 0));
  NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, 1));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 0, 3, 5));
  const Shape &x = node.shape(0), &w = node.shape(1);
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 1, x.rank(), x.rank()));
  const Result<int64_t> groups = groups_of(node);
  if (!groups.ok()) return groups.status();
  const bool channels_last = node.channels_last();
  const int axis = channel_axis(node);
  if (!agree(x[axis], w[0]))
    return invalid_argument("expects " + std::to_string(w[0]) + " input channels, found " +
                            to_string(x));
  if (w[0] != kUnknownDim && w[0] % groups.value() != 0)
    return invalid_argument("expects input channels that divide into " +
                            std::to_string(groups.value()) + " groups, found " +
                            std::to_string(w[0]));
  int64_t channels;
  if (!multiply(w[axis], groups.value(), channels)) return overflow();
  const auto kernel = spatial(w, channels_last);
  NIBBLE_RETURN_IF_ERROR(check_kernel_shape(node, kernel));
  NIBBLE_RETURN_IF_ERROR(check_bias(node, channels));
  const Result<Dims> space = outputs_of(node, spatial(x, channels_last), kernel);
  if (!space.ok()) return space.status();
  return store_image(node, node.dtype(0), x[0], channels, space.value(), channels_last);
}

Status pool(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 0, 3, 5));
  const Shape& x = node.shape(0);
  const bool channels_last = node.channels_last();
  const Result<Dims> space =
      outputs_of(node, spatial(x, channels_last), node.attributes.get_ints(Attr::kernel_shape));
  if (!space.ok()) return space.status();
  NIBBLE_RETURN_IF_ERROR(
      store_image(node, node.dtype(0), x[0], x[channel_axis(node)], space.value(), channels_last));
  if (node.outputs.size() > 1) return store(node, 1, DType::kI64, node.outputs[0].shape.dims());
  return {};
}

Status global_pool(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_numeric(node, 0));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 0, 2));
  const Shape& x = node.shape(0);
  const Dims ones(static_cast<size_t>(x.rank()) - 2, 1);
  return store_image(node, node.dtype(0), x[0], x[channel_axis(node)], ones, node.channels_last());
}

Status normalise_channels(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_float(node, 0));
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 0, node.op == Op::kInstanceNormalization ? 3 : 1));
  // BatchNormalization of a vector has one channel, as in ONNX's function body.
  const Shape& x = node.shape(0);
  const int64_t channels = x.rank() == 1 ? 1 : x[channel_axis(node)];
  for (size_t i = 1; i < node.inputs.size(); ++i)
    if (node.shape(i).rank() != 1 || !agree(node.shape(i)[0], channels))
      return invalid_argument("expects " + std::to_string(channels) + " values, one a channel of " +
                              to_string(x) + ", as input " + std::to_string(i) + ", found " +
                              to_string(node.shape(i)));
  return same_as_input(node);
}

Status depth_to_space(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 0, 4, 4));
  const Shape& x = node.shape(0);
  const int64_t block = node.attributes.get_int(Attr::blocksize, 0);
  if (block < 1 || block > 1 << 20)
    return invalid_argument("expects a positive blocksize, found " + std::to_string(block));
  if (x[1] != kUnknownDim && x[1] % (block * block) != 0)
    return invalid_argument("expects channels that are a multiple of " +
                            std::to_string(block * block) + ", found " + to_string(x));
  int64_t h, w;
  if (!multiply(x[2], block, h) || !multiply(x[3], block, w)) return overflow();
  const int64_t c = x[1] == kUnknownDim ? kUnknownDim : x[1] / (block * block);
  return store(node, 0, node.dtype(0), Dims{x[0], c, h, w});
}

Status space_to_depth(const Node& node) {
  NIBBLE_RETURN_IF_ERROR(expect_rank(node, 0, 4, 4));
  const Shape& x = node.shape(0);
  const int64_t block = node.attributes.get_int(Attr::blocksize, 0);
  if (block < 1 || block > 1 << 20)
    return invalid_argument("expects a positive blocksize, found " + std::to_string(block));
  Dims dims = dims_of(x);
  for (size_t i = 2; i < 4; ++i) {
    if (dims[i] == kUnknownDim) continue;
    if (dims[i] % block != 0)
      return invalid_argument("expects height and width that are multiples of " +
                              std::to_string(block) + ", found " + to_string(x));
    dims[i] /= block;
  }
  if (!multiply(dims[1], block * block, dims[1])) return overflow();
  return store(node, 0, node.dtype(0), dims);
}

}  // namespace nibble::model::infer
