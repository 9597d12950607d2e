#include "deploy/kernels/depthwise/runs.h"

#include <utility>

namespace nibble::kernels {
namespace {

constexpr DepthwiseF32Variant kF32[] = {
#define NIBBLE_DEPTHWISE_F32(isa, space) {Isa::isa, "depthwise_f32/" #space, space::depthwise_f32},
#define NIBBLE_DEPTHWISE_S8(isa, space)
#include "deploy/kernels/depthwise/kernels.inc"
#undef NIBBLE_DEPTHWISE_F32
#undef NIBBLE_DEPTHWISE_S8
};

constexpr DepthwiseS8Variant kS8[] = {
#define NIBBLE_DEPTHWISE_F32(isa, space)
#define NIBBLE_DEPTHWISE_S8(isa, space) {Isa::isa, "depthwise_s8/" #space, space::depthwise_s8},
#include "deploy/kernels/depthwise/kernels.inc"
#undef NIBBLE_DEPTHWISE_F32
#undef NIBBLE_DEPTHWISE_S8
};

}  // namespace

std::span<const DepthwiseF32Variant> depthwise_f32_variants() {
  return kF32;
}
std::span<const DepthwiseS8Variant> depthwise_s8_variants() {
  return kS8;
}

size_t depthwise_axis(const Windows& w, int64_t fold) {
  constexpr int64_t kShortLine = 8;
  return fold == 1 && w.kernel[0] == 1 && w.out[2] < kShortLine && w.out[1] >= 2 * w.out[2] ? 1 : 2;
}

int64_t depthwise_s8_order(int64_t lines, int64_t length, size_t axis, int32_t* order) {
  const int32_t* const begin = order;
  if (axis == 1) std::swap(lines, length);
  const auto tap = [&](int64_t line, int64_t place) {
    return static_cast<int32_t>(axis == 1 ? place * lines + line : line * length + place);
  };
  const auto pair = [&](int32_t a, int32_t b) {
    *order++ = a;
    *order++ = b;
  };
  int64_t line = 0;
  for (; line + 2 <= lines; line += 2)
    for (int64_t i = 0; i < length; ++i) pair(tap(line, i), tap(line + 1, i));
  for (int64_t i = 0; line < lines && i < length; i += 2) {
    if (i + 1 < length)
      pair(tap(line, i), tap(line, i + 1));
    else
      pair(tap(line, i > 0 ? i - 1 : i), tap(line, i));
  }
  return (order - begin) / 2;
}

InsideOutputs inside_outputs(const Windows& w, size_t axis) {
  const int64_t out = w.out[axis], stride = w.stride[axis], pad = w.pad[axis];
  const int64_t begin = std::min((pad + stride - 1) / stride, out);
  const int64_t room = w.in[axis] + pad - (w.kernel[axis] - 1) * w.dilation[axis] - 1;
  return {begin, std::clamp(room < 0 ? 0 : room / stride + 1, begin, out)};
}

}  // namespace nibble::kernels
