#include "deploy/kernels/float/float.h"

namespace nibble::kernels {
namespace {

constexpr Variant<FloatKernels> kVariants[] = {
#define NIBBLE_VECTOR_ISA(isa, space) {Isa::isa, &space::kFloatKernels},
#include "deploy/kernels/simd/vector_isas.inc"
#undef NIBBLE_VECTOR_ISA
};

}  // namespace

std::span<const Variant<FloatKernels>> float_variants() {
  return kVariants;
}

const FloatKernels& float_kernels(Isa isa) {
  return *select(float_variants(), isa).table;
}

}  // namespace nibble::kernels
