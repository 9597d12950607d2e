#include <immintrin.h>

#include "bench/limits/limits.h"

namespace nibble::bench::x86_avx512vnni {

double int8_loop(long steps) {
  constexpr int kChains = 12;  // hide the latency of one accumulation
  __m512i acc[kChains], a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(5);
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) acc[i] = _mm512_setzero_si512();
  for (long s = 0; s < steps; ++s)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      asm volatile("" : "+v"(a), "+v"(acc[i]));  // new values, as far as the compiler knows
      acc[i] = _mm512_dpbusd_epi32(acc[i], a, b);
    }
  __m512i total = acc[0];
#pragma GCC unroll 12
  for (int i = 1; i < kChains; ++i) total = _mm512_add_epi32(total, acc[i]);
  const int sum = _mm_cvtsi128_si32(_mm512_castsi512_si128(total));
  return 2.0 * 64 * kChains * static_cast<double>(steps) + (sum == 1);
}

}  // namespace nibble::bench::x86_avx512vnni
