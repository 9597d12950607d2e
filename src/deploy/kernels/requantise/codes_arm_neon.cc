#define NIBBLE_ISA_NAMESPACE neon
#define NIBBLE_VECTOR_BYTES 16
#include <arm_neon.h>

#include "deploy/kernels/simd/lanes.h"

namespace nibble::kernels::neon {

NIBBLE_INLINE Vec<int8_t> look_up(const int8_t* table, Vec<int8_t> i) {
  return (Vec<int8_t>)vqtbl1q_s8(vld1q_s8(table), (uint8x16_t)i);
}

}  // namespace nibble::kernels::neon

#include "deploy/kernels/requantise/codes_rows.h"
