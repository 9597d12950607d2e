#include "deploy/base/cpu.h"

#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>

namespace nibble::inline base {
namespace {

constexpr std::string_view kNames[] = {"portable", "avx2", "avxvnni", "avx512bw", "avx512vnni",
                                       "amx",      "neon", "dotprod", "i8mm"};

}  // namespace

std::string_view name_of(Isa isa) {
  return kNames[static_cast<int>(isa)];
}

std::optional<Isa> isa_from_name(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i] == name) return static_cast<Isa>(i);
  return std::nullopt;
}

#if !defined(__x86_64__) && !defined(__aarch64__)
bool cpu_runs(Isa isa) {
  return isa == Isa::kPortable;
}
#endif

#if !defined(__x86_64__)
bool cpu_has_vpopcntdq() {
  return false;
}
#endif

std::vector<Isa> runnable_isas() {
  std::vector<Isa> isas;
  for (size_t i = 0; i < std::size(kNames); ++i)
    if (cpu_runs(static_cast<Isa>(i))) isas.push_back(static_cast<Isa>(i));
  return isas;
}

Result<Isa> isa_from_environment() {
  if (const char* name = std::getenv("NIBBLE_ISA"); name && *name) {
    const auto isa = isa_from_name(name);
    if (!isa) {
      std::string known;
      for (std::string_view n : kNames) (known += known.empty() ? "" : "|") += n;
      return invalid_argument("NIBBLE_ISA=" + std::string(name) + " is not one of " + known);
    }
    if (!cpu_runs(*isa))
      return invalid_argument("NIBBLE_ISA=" + std::string(name) + " cannot run on this machine");
    return *isa;
  }
  return runnable_isas().back();
}

bool allowed(Isa kernel, Isa ceiling) {
  return kernel <= ceiling && cpu_runs(kernel);
}

}  // namespace nibble::inline base
