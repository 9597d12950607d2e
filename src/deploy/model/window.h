#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "deploy/base/status.h"
#include "deploy/model/attributes.h"
#include "deploy/model/op.h"

namespace nibble::model {

/// One spatial axis of a Conv, QConv, ConvTranspose, MaxPool or AveragePool with every default and
/// auto_pad resolved. A convolution or pool reads, for output o and tap t, the input at
/// o * stride - pad_begin + t * dilation; a transposed convolution adds input i, tap t to the
/// output at i * stride - pad_begin + t * dilation. Positions outside are padding, or are dropped.
struct Window {
  int64_t input = 0;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad_begin = 0;
  int64_t pad_end = 0;
  int64_t output = 0;
  friend bool operator==(const Window&, const Window&) = default;
};

/// The windows of a node, one a spatial axis: `input` and `kernel` are the spatial dimensions of
/// data and filter (pools: kernel_shape). ONNX's rules for strides, pads, dilations, auto_pad,
/// ceil_mode (the last window must start inside the input or its front padding), output_padding and
/// output_shape. An unknown input dimension gives an unknown output and, under SAME, unknown pads
/// (kUnknownDim). Errors: a list of the wrong length, a value out of range, a window that is larger
/// than the padded input.
Result<std::vector<Window>> resolve_windows(Op op, const Attributes& attributes,
                                            std::span<const int64_t> input,
                                            std::span<const int64_t> kernel);

}  // namespace nibble::model
