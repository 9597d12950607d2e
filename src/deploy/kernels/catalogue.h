#pragma once

#include <string_view>
#include <vector>

#include "deploy/base/cpu.h"

namespace nibble::kernels {

/// One kernel that this build holds, under the name that profiles show.
struct KernelInfo {
  std::string_view name;     // "matmul_s8/avx512vnni"
  std::string_view summary;  // of the family
  Isa isa;                   // least ISA that it needs
};

/// All kernels with a choice of ISA, family by family, worst first: the very lists that run-time
/// choice reads. Ops without such a family have one portable loop.
std::vector<KernelInfo> catalogue();

}  // namespace nibble::kernels
