// cpu_runs() of 64-bit ARM under Linux.
#include "deploy/base/cpu.h"

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>

namespace nibble::inline base {

bool cpu_runs(Isa isa) {
  const unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  const bool neon = first & HWCAP_ASIMD;
  const bool dotprod = neon && first & HWCAP_ASIMDDP;
  switch (isa) {
    case Isa::kPortable:
      return true;
    case Isa::kNeon:
      return neon;
    case Isa::kDotprod:
      return dotprod;
    case Isa::kI8mm:
      return dotprod && second & HWCAP2_I8MM;
    case Isa::kAvx2:
    case Isa::kAvxVnni:
    case Isa::kAvx512bw:
    case Isa::kAvx512vnni:
    case Isa::kAmx:
      return false;
  }
  return false;
}

}  // namespace nibble::inline base
#endif
