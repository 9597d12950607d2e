#include <immintrin.h>

#include "deploy/kernels/matmul/matmul_s8_dot.h"
#include "deploy/kernels/matmul/matmul_s8_dot_real.h"
#include "deploy/kernels/simd/x86_avx2_output_s8.h"
#include "deploy/kernels/simd/x86_avx2_registers.h"

namespace nibble::kernels::avxvnni {
namespace {

struct Ops : RegistersAvx2 {
  static constexpr auto& output_tile = output_tile_avx2;
  static constexpr int kTiles = 1;
  static constexpr bool kStoresFour = false;

  static V dot(V sum, V u, V s) { return _mm256_dpbusd_avx_epi32(sum, u, s); }
};

void sums_s8(const int8_t* a, int64_t rows, int64_t k, int32_t* sums) {
  const __m256i ones = _mm256_set1_epi8(1);
  for (int64_t i = 0; i < rows; ++i, a += k) {
    __m256i sum = _mm256_setzero_si256();
    int64_t j = 0;
    for (; j + 32 <= k; j += 32)
      sum = _mm256_dpbusd_avx_epi32(sum, ones,
                                    _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + j)));
    uint32_t lanes[8];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), sum);
    uint32_t total = 0;  // wraps around, as in the reference
    for (uint32_t lane : lanes) total += lane;
    for (; j < k; ++j) total += static_cast<uint32_t>(a[j]);
    sums[i] = static_cast<int32_t>(total);
  }
}

}  // namespace

const MatmulS8Core kMatmulS8 = {
    .block = block_dot<Ops>,
    .vector = vector_dot<Ops>,
    .unpack = unpack_s8<Ops>,
    .sums = sums_s8,
    .dense_rows = false,
    .real = real_panels<Ops, QuadDot<Ops>>,
    .serial_macs = 200e3,
};

}  // namespace nibble::kernels::avxvnni
