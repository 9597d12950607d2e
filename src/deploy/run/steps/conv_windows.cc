#include "deploy/run/steps/conv_windows.h"

#include <string>
#include <vector>

#include "deploy/model/window.h"

namespace nibble::run {

Result<kernels::Windows> conv_windows(const PrepareContext& context) {
  using model::Attr;
  const auto& attributes = context.node.attributes;
  const Shape &x = context.inputs[0].shape, &w = context.inputs[1].shape;
  const bool integer = context.node.op == model::Op::kQConv;  // always channels last
  if (!integer && attributes.get_int(Attr::channels_last, 0) == 0)
    return unsupported("expects channels_last data");
  const int axes = x.rank() - 2;
  if (axes < 1 || axes > 3 || w.rank() != x.rank())
    return unsupported("expects 1 to 3 spatial axes, found " + to_string(x) + " and " +
                       to_string(w));
  kernels::Windows windows;
  windows.batch = x[0];
  windows.groups = attributes.get_int(Attr::group, 1);
  windows.channels = w[axes + 1];
  if (windows.groups < 1 || windows.groups * windows.channels != x[axes + 1] ||
      w[0] % windows.groups != 0)
    return invalid_argument("expects channels that fit " + std::to_string(windows.groups) +
                            " groups, found " + to_string(x) + " and " + to_string(w));
  const auto count = static_cast<size_t>(axes);
  const auto resolved = model::resolve_windows(
      model::Op::kConv, attributes, x.dims().subspan(1, count), w.dims().subspan(1, count));
  if (!resolved.ok()) return resolved.status();
  for (size_t i = 0; i < count; ++i) {
    const model::Window& from = resolved.value()[i];
    const size_t axis = 3 - count + i;
    windows.in[axis] = from.input;
    windows.out[axis] = from.output;
    windows.kernel[axis] = from.kernel;
    windows.stride[axis] = from.stride;
    windows.dilation[axis] = from.dilation;
    windows.pad[axis] = from.pad_begin;
  }
  return windows;
}

}  // namespace nibble::run
