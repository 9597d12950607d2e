#define NIBBLE_ISA_NAMESPACE avx512bw
#define NIBBLE_VECTOR_BYTES 64
#include <immintrin.h>

#include "deploy/kernels/simd/lanes.h"

namespace nibble::kernels::avx512bw {

NIBBLE_INLINE Vec<int8_t> look_up(const int8_t* table, Vec<int8_t> i) {
  const __m128i t = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  return (Vec<int8_t>)_mm512_shuffle_epi8(_mm512_broadcast_i32x4(t), (__m512i)i);
}

}  // namespace nibble::kernels::avx512bw

#include "deploy/kernels/requantise/codes_rows.h"
