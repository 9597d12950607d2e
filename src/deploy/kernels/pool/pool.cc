#include "deploy/kernels/pool/pool.h"

namespace nibble::kernels {
namespace {

constexpr Variant<PoolTable> kVariants[] = {
#define NIBBLE_VECTOR_ISA(isa, space) {Isa::isa, &space::kPoolTable},
#include "deploy/kernels/simd/vector_isas.inc"
#undef NIBBLE_VECTOR_ISA
};

}  // namespace

std::span<const Variant<PoolTable>> pool_variants() {
  return kVariants;
}

const PoolTable& pool_kernels(Isa isa) {
  return *select(pool_variants(), isa).table;
}

}  // namespace nibble::kernels
