#include <immintrin.h>

#include "bench/limits/limits.h"

namespace nibble::bench::x86_avx2 {

uint64_t sweep(const void* lines, size_t count) {
  const auto* vectors = static_cast<const __m256i*>(lines);
  __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
  for (size_t i = 0; i < count * 2; i += 8) {
    a = _mm256_xor_si256(a, _mm256_xor_si256(vectors[i], vectors[i + 4]));
    b = _mm256_xor_si256(b, _mm256_xor_si256(vectors[i + 1], vectors[i + 5]));
    c = _mm256_xor_si256(c, _mm256_xor_si256(vectors[i + 2], vectors[i + 6]));
    d = _mm256_xor_si256(d, _mm256_xor_si256(vectors[i + 3], vectors[i + 7]));
  }
  const __m256i all = _mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d));
  return static_cast<uint64_t>(_mm256_extract_epi64(all, 0) ^ _mm256_extract_epi64(all, 1) ^
                               _mm256_extract_epi64(all, 2) ^ _mm256_extract_epi64(all, 3));
}

}  // namespace nibble::bench::x86_avx2
