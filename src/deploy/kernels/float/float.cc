#include "deploy/kernels/float/float.h"

namespace nibble::kernels {

const FloatKernels& float_kernels([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  if (allowed(Isa::kAvx512bw, isa)) return avx512bw::kFloatKernels;
  if (allowed(Isa::kAvx2, isa)) return avx2::kFloatKernels;
#endif
  return portable::kFloatKernels;
}

}  // namespace nibble::kernels
