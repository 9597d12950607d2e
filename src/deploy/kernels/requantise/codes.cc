#include "deploy/kernels/requantise/codes.h"

namespace nibble::kernels {
namespace {

constexpr Variant<CodeKernels> kVariants[] = {
#define NIBBLE_VECTOR_ISA(isa, space) {Isa::isa, &space::kCodeKernels},
#include "deploy/kernels/simd/vector_isas.inc"
#undef NIBBLE_VECTOR_ISA
};

}  // namespace

std::span<const Variant<CodeKernels>> code_variants() {
  return kVariants;
}

const CodeKernels& code_kernels(Isa isa) {
  return *select(code_variants(), isa).table;
}

int wide_container(DType dtype) {
  if (dtype == DType::kI8) return kWideI8;
  if (dtype == DType::kU8) return kWideU8;
  if (dtype == DType::kI16) return kWideI16;
  return dtype == DType::kU16 ? kWideU16 : -1;
}

int container(DType dtype) {
  if (dtype == DType::kI8) return kI8Codes;
  return dtype == DType::kI16 ? kI16Codes : -1;
}

}  // namespace nibble::kernels
