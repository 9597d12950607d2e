#include <array>

#include "bench/limits/limits.h"
#include "bench/limits/together.h"
#include "deploy/base/cpu.h"

namespace nibble::bench {
namespace {

struct Loop {
  Isa isa;
  double (*run)(long steps);
};

#if defined(__x86_64__)
constexpr std::array kLoops = {Loop{Isa::kAvx512vnni, x86_avx512vnni::int8_loop},
                               Loop{Isa::kAvxVnni, x86_avxvnni::int8_loop},
                               Loop{Isa::kAvx2, x86_avx2::int8_loop}};
#else
constexpr std::array<Loop, 0> kLoops = {};
#endif

}  // namespace

Int8Peak int8_peak(int threads, double seconds) {
  constexpr long kSteps = 100'000;
  const Result<Isa> ceiling = isa_from_environment();
  if (!ceiling.ok()) return {};
  for (const Loop& loop : kLoops) {
    if (!allowed(loop.isa, ceiling.value())) continue;
    const double pass = best_pass(threads, seconds, [&](int) { loop.run(kSteps); });
    return {loop.run(kSteps) * threads / pass * 1e-9, name_of(loop.isa)};
  }
  return {};
}

}  // namespace nibble::bench
