#include "deploy/kernels/requantise/codes.h"

namespace nibble::kernels {

const CodeKernels& code_kernels([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  if (allowed(Isa::kAvx512bw, isa)) return avx512bw::kCodeKernels;
  if (allowed(Isa::kAvx2, isa)) return avx2::kCodeKernels;
#endif
  return portable::kCodeKernels;
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
