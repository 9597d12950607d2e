#include <immintrin.h>

#include "bench/limits/limits.h"

namespace nibble::bench::x86_avxvnni {

double int8_loop(long steps) {
  constexpr int kChains = 12;  // hide the latency of one accumulation
  __m256i acc[kChains], a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(5);
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) acc[i] = _mm256_setzero_si256();
  for (long s = 0; s < steps; ++s)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      asm volatile("" : "+x"(a), "+x"(acc[i]));  // new values, as far as the compiler knows
      acc[i] = _mm256_dpbusd_avx_epi32(acc[i], a, b);
    }
  __m256i total = acc[0];
#pragma GCC unroll 12
  for (int i = 1; i < kChains; ++i) total = _mm256_add_epi32(total, acc[i]);
  const int sum = _mm256_extract_epi32(total, 0);
  return 2.0 * 32 * kChains * static_cast<double>(steps) + (sum == 1);
}

}  // namespace nibble::bench::x86_avxvnni
