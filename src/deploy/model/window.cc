#include "deploy/model/window.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "deploy/base/shape.h"

namespace nibble::model {
namespace {

// Far above any real tensor, and small enough that the sums and products of two below stay in
// int64.
constexpr int64_t kLimit = int64_t{1} << 31;

Status check_list(std::span<const int64_t> list, std::string_view name, size_t length,
                  int64_t least) {
  if (!list.empty() && list.size() != length)
    return invalid_argument("expects " + std::to_string(length) + " values in '" +
                            std::string(name) + "', found " + std::to_string(list.size()));
  for (int64_t value : list)
    if (value < least || value >= kLimit)
      return invalid_argument("expects values from " + std::to_string(least) + " to 2^31 - 1 in '" +
                              std::string(name) + "', found " + std::to_string(value));
  return {};
}

struct Padding {
  bool same_upper, same_lower, valid;
};

/// The extra element of an odd padding lies at the end under SAME_UPPER. For ConvTranspose ONNX
/// also has NOTSET with output_shape, which behaves as SAME_LOWER.
void distribute(int64_t total, bool upper, Window& w) {
  w.pad_begin = upper ? total / 2 : total - total / 2;
  w.pad_end = total - w.pad_begin;
}

Status finish_forward(const Padding& padding, bool ceil_mode, Window& w) {
  const int64_t extent = (w.kernel - 1) * w.dilation + 1;
  const bool same = padding.same_upper || padding.same_lower;
  if (w.input == kUnknownDim) {
    if (same) w.pad_begin = w.pad_end = kUnknownDim;
    w.output = kUnknownDim;
    return {};
  }
  if (same) {
    w.output = (w.input + w.stride - 1) / w.stride;
    distribute(std::max<int64_t>(0, (w.output - 1) * w.stride + extent - w.input),
               padding.same_upper, w);
    return {};
  }
  const int64_t padded = w.input + w.pad_begin + w.pad_end;
  if (padded < extent)
    return invalid_argument("expects a window no larger than the padded input, found " +
                            std::to_string(extent) + " over " + std::to_string(padded));
  const int64_t room = padded - extent;
  w.output = room / w.stride + 1;
  if (ceil_mode && !padding.valid) {
    w.output = (room + w.stride - 1) / w.stride + 1;
    if ((w.output - 1) * w.stride >= w.input + w.pad_begin) --w.output;
  }
  return {};
}

Status finish_transposed(const Padding& padding, int64_t output_padding, int64_t output_shape,
                         Window& w) {
  const int64_t extent = (w.kernel - 1) * w.dilation + 1;
  const bool same = padding.same_upper || padding.same_lower;
  if (w.input == kUnknownDim) {
    if (same || output_shape > 0) w.pad_begin = w.pad_end = kUnknownDim;
    w.output = output_shape > 0 ? output_shape : kUnknownDim;
    return {};
  }
  if (w.input == 0) return invalid_argument("expects at least one element along a spatial axis");
  const int64_t full = (w.input - 1) * w.stride + output_padding + extent;
  if (output_shape > 0 || same) {
    w.output = output_shape > 0 ? output_shape : w.input * w.stride;
    distribute(std::max<int64_t>(0, full - w.output), padding.same_upper, w);
    if (output_shape <= 0) w.output = full - w.pad_begin - w.pad_end;
    return {};
  }
  w.output = full - w.pad_begin - w.pad_end;
  if (w.output < 1)
    return invalid_argument("expects pads that leave an output, found pads of " +
                            std::to_string(w.pad_begin + w.pad_end) + " over " +
                            std::to_string(full));
  return {};
}

}  // namespace

Result<std::vector<Window>> resolve_windows(Op op, const Attributes& attributes,
                                            std::span<const int64_t> input,
                                            std::span<const int64_t> kernel) {
  const size_t rank = input.size();
  const bool transposed = op == Op::kConvTranspose;
  const auto strides = attributes.get_ints(Attr::strides);
  const auto dilations = attributes.get_ints(Attr::dilations);
  const auto pads = attributes.get_ints(Attr::pads);
  const auto output_padding = attributes.get_ints(Attr::output_padding);
  auto output_shape = attributes.get_ints(Attr::output_shape);
  if (output_shape.size() == rank + 2) output_shape = output_shape.last(rank);  // with N and C
  NIBBLE_RETURN_IF_ERROR(check_list(kernel, "kernel_shape", rank, 1));
  if (kernel.size() != rank)
    return invalid_argument("expects a kernel_shape of " + std::to_string(rank) + " values");
  NIBBLE_RETURN_IF_ERROR(check_list(strides, "strides", rank, 1));
  NIBBLE_RETURN_IF_ERROR(check_list(dilations, "dilations", rank, 1));
  NIBBLE_RETURN_IF_ERROR(check_list(pads, "pads", 2 * rank, 0));
  NIBBLE_RETURN_IF_ERROR(check_list(output_padding, "output_padding", rank, 0));
  NIBBLE_RETURN_IF_ERROR(check_list(output_shape, "output_shape", rank, 1));

  const std::string_view mode = attributes.get_string(Attr::auto_pad, "NOTSET");
  const Padding padding{mode == "SAME_UPPER", mode == "SAME_LOWER", mode == "VALID"};
  if (mode != "NOTSET" && !padding.same_upper && !padding.same_lower && !padding.valid)
    return invalid_argument("expects auto_pad NOTSET, SAME_UPPER, SAME_LOWER or VALID, found '" +
                            std::string(mode) + "'");
  const bool ceil_mode = attributes.get_int(Attr::ceil_mode, 0) != 0;

  std::vector<Window> windows(rank);
  for (size_t i = 0; i < rank; ++i) {
    Window& w = windows[i];
    w.input = input[i];
    w.kernel = kernel[i];
    if (w.input != kUnknownDim && (w.input < 0 || w.input >= kLimit))
      return invalid_argument("expects spatial dimensions below 2^31, found " +
                              std::to_string(w.input));
    if (!strides.empty()) w.stride = strides[i];
    if (!dilations.empty()) w.dilation = dilations[i];
    if (mode == "NOTSET" && !pads.empty()) {
      w.pad_begin = pads[i];
      w.pad_end = pads[i + rank];
    }
    if (w.kernel > 1 && w.dilation > kLimit / (w.kernel - 1))
      return invalid_argument("expects a window shorter than 2^31 elements");
    const Status status =
        transposed ? finish_transposed(padding, output_padding.empty() ? 0 : output_padding[i],
                                       output_shape.empty() ? 0 : output_shape[i], w)
                   : finish_forward(padding, ceil_mode, w);
    if (!status.ok()) return status;
  }
  return windows;
}

}  // namespace nibble::model
