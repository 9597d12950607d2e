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

}  // namespace nibble::kernels
