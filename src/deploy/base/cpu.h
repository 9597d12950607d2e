#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "deploy/base/status.h"

namespace nibble::inline base {

/// Instruction-set ceilings, in order within a processor family ($NIBBLE_ISA).
enum class Isa { kPortable, kAvx2, kAvxVnni, kAvx512bw, kAvx512vnni, kAmx, kNeon, kDotprod, kI8mm };

std::string_view name_of(Isa isa);
std::optional<Isa> isa_from_name(std::string_view name);

/// Whether this processor and operating system run `isa` (cpuid and XCR0, or the
/// kernel's hardware capabilities; not the compiler's word).
bool cpu_runs(Isa isa);

/// What this machine runs, worst first; the portable reference leads.
std::vector<Isa> runnable_isas();

/// The best ISA of this machine at or below the ceiling in $NIBBLE_ISA. A name that is unknown, or
/// that this machine lacks, is an error: "NIBBLE_ISA=amx cannot run on this machine".
Result<Isa> isa_from_environment();

/// AVX-512 VPOPCNTDQ, which some CPUs have beside AVX-512 VNNI.
bool cpu_has_vpopcntdq();

/// True if a kernel for `kernel` may be used under the ceiling `ceiling` on this machine.
bool allowed(Isa kernel, Isa ceiling);

}  // namespace nibble::inline base
