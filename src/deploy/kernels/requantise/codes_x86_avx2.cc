#define NIBBLE_ISA_NAMESPACE avx2
#define NIBBLE_VECTOR_BYTES 32
#include <immintrin.h>

#include "deploy/kernels/simd/lanes.h"

namespace nibble::kernels::avx2 {

NIBBLE_INLINE Vec<int8_t> look_up(const int8_t* table, Vec<int8_t> i) {
  const __m128i t = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  return (Vec<int8_t>)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(t), (__m256i)i);
}

}  // namespace nibble::kernels::avx2

#include "deploy/kernels/requantise/codes_rows.h"
