#include "deploy/kernels/depthwise/runs.h"

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

int64_t depthwise_s8_order(int64_t lines, int64_t length, int32_t* order) {
  const int32_t* const begin = order;
  const auto pair = [&](int64_t a, int64_t b) {
    *order++ = static_cast<int32_t>(a);
    *order++ = static_cast<int32_t>(b);
  };
  int64_t line = 0;
  for (; line + 2 <= lines; line += 2)
    for (int64_t i = 0; i < length; ++i) pair(line * length + i, (line + 1) * length + i);
  for (int64_t i = 0; line < lines && i < length; i += 2) {
    const int64_t tap = line * length + i;
    if (i + 1 < length)
      pair(tap, tap + 1);
    else
      pair(i > 0 ? tap - 1 : tap, tap);
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
