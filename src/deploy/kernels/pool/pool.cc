#include "deploy/kernels/pool/pool.h"

namespace nibble::kernels {

const PoolTable& pool_kernels([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  if (allowed(Isa::kAvx512bw, isa)) return avx512bw::kPoolTable;
  if (allowed(Isa::kAvx2, isa)) return avx2::kPoolTable;
#endif
  return portable::kPoolTable;
}

}  // namespace nibble::kernels
