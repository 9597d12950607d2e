// cpu_runs() of x86-64.
#include "deploy/base/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace nibble::inline base {
namespace {

struct Leaf {
  uint32_t a = 0, b = 0, c = 0, d = 0;
  Leaf(uint32_t leaf, uint32_t sub) { __get_cpuid_count(leaf, sub, &a, &b, &c, &d); }
};
bool bit(uint32_t word, int i) {
  return word >> i & 1;
}

/// Linux saves AMX tiles only for processes that asked for them, once.
bool tiles_granted() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XTILEDATA
  static const bool granted = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return granted;
#else
  return false;
#endif
}

}  // namespace

bool cpu_runs(Isa isa) {
  // Read once: in a virtual machine every cpuid traps, and this is asked for every kernel.
  static const Leaf one(1, 0), seven(7, 0), seven_one(7, 1);
  if (!bit(one.c, 27)) return false;  // OSXSAVE: without it no vector state is saved
  uint32_t lo, hi;
  __asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  const bool avx2 = (lo & 0x6) == 0x6 && bit(one.c, 28) && bit(seven.b, 5) && bit(one.c, 12) &&
                    bit(one.c, 29) && bit(seven.b, 8);  // AVX2, FMA, F16C, BMI2
  const bool avx512bw = avx2 && (lo & 0xe6) == 0xe6 && bit(seven.b, 16) && bit(seven.b, 17) &&
                        bit(seven.b, 30) && bit(seven.b, 31);  // F, DQ, BW, VL
  const bool avx512vnni = avx512bw && bit(seven.c, 11);
  const bool amx = avx512vnni && bit(seven.c, 1) && (lo & 0x60000) == 0x60000 && bit(seven.d, 24) &&
                   bit(seven.d, 25);  // VBMI, AMX-TILE, AMX-INT8
  switch (isa) {
    case Isa::kPortable:
      return true;
    case Isa::kAvx2:
      return avx2;
    case Isa::kAvxVnni:
      return avx2 && bit(seven_one.a, 4);
    case Isa::kAvx512bw:
      return avx512bw;
    case Isa::kAvx512vnni:
      return avx512vnni;
    case Isa::kAmx:
      return amx && tiles_granted();
    case Isa::kNeon:
    case Isa::kDotprod:
    case Isa::kI8mm:
      return false;
  }
  return false;
}

bool cpu_has_vpopcntdq() {
  static const bool has = cpu_runs(Isa::kAvx512bw) && bit(Leaf(7, 0).c, 14);
  return has;
}

}  // namespace nibble::inline base
#endif
