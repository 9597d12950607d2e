#include <immintrin.h>

#include "deploy/kernels/matmul/matmul_s8_dot.h"
#include "deploy/kernels/matmul/matmul_s8_dot_real.h"
#include "deploy/kernels/simd/x86_avx512_output_s8.h"
#include "deploy/kernels/simd/x86_avx512_registers.h"

namespace nibble::kernels::avx512vnni {
// Shared with AMX, whose tiles bring nothing to them.
VectorCoreS8 vector_s8;
UnpackS8 unpack_s8;
SumsS8Core sums_s8;
RealCoreS8 real_s8;

namespace {

struct Ops : RegistersAvx512 {
  static constexpr auto& output_tile = output_tile_avx512;
  static constexpr int kTiles = 4;
  static constexpr bool kStoresFour = true;

  static V dot(V sum, V u, V s) { return _mm512_dpbusd_epi32(sum, u, s); }
  static void store_four(const OutputS8& output, int64_t n, int64_t channels, const V (&sums)[4][1],
                         int8_t* to) {
    store64(output, n, channels, sums[0][0], sums[1][0], sums[2][0], sums[3][0], to);
  }
};

}  // namespace

void vector_s8(const MatmulS8& p, const int8_t* a, int32_t row_sum, int8_t* out,
               const int8_t* residual, int64_t panel_begin, int64_t panel_end) {
  vector_dot<Ops>(p, a, row_sum, out, residual, panel_begin, panel_end);
}

void unpack_s8(int bits, const std::byte* stream, int64_t tiles, uint8_t* out) {
  kernels::unpack_s8<Ops>(bits, stream, tiles, out);
}

void sums_s8(const int8_t* a, int64_t rows, int64_t k, int32_t* sums) {
  const __m512i ones = _mm512_set1_epi8(1), zero = _mm512_setzero_si512();
  int64_t i = 0;
  if (k == 4) {  // a row is a lane
    for (; i + 16 <= rows; i += 16)
      _mm512_storeu_si512(sums + i, _mm512_dpbusd_epi32(zero, ones, _mm512_loadu_si512(a + i * 4)));
  }
  const __mmask64 tail = k % 64 == 0 ? 0 : (uint64_t{1} << k % 64) - 1;
  const auto lanes = [&](const int8_t* row) {
    __m512i sum = zero;
    int64_t j = 0;
    for (; j + 64 <= k; j += 64) sum = _mm512_dpbusd_epi32(sum, ones, _mm512_loadu_si512(row + j));
    if (tail) sum = _mm512_dpbusd_epi32(sum, ones, _mm512_maskz_loadu_epi8(tail, row + j));
    return sum;
  };
  for (; i + 4 <= rows; i += 4) {  // four rows share the sums across lanes
    const int8_t* row = a + i * k;
    const __m512i r0 = lanes(row), r1 = lanes(row + k);
    const __m512i r2 = lanes(row + 2 * k), r3 = lanes(row + 3 * k);
    const __m512i s01 =
        _mm512_add_epi32(_mm512_unpacklo_epi32(r0, r1), _mm512_unpackhi_epi32(r0, r1));
    const __m512i s23 =
        _mm512_add_epi32(_mm512_unpacklo_epi32(r2, r3), _mm512_unpackhi_epi32(r2, r3));
    const __m512i s =
        _mm512_add_epi32(_mm512_unpacklo_epi64(s01, s23), _mm512_unpackhi_epi64(s01, s23));
    const __m256i half =
        _mm256_add_epi32(_mm512_castsi512_si256(s), _mm512_extracti64x4_epi64(s, 1));
    const __m128i four =
        _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + i), four);
  }
  for (; i < rows; ++i) sums[i] = _mm512_reduce_add_epi32(lanes(a + i * k));
}

void real_s8(const MatmulRealS8& p, const int8_t* a, const int32_t* sums, const float* row_scales,
             int64_t m, float* out, int64_t panel_begin, int64_t panel_end) {
  real_panels<Ops, QuadDot<Ops>>(p, a, sums, row_scales, m, out, panel_begin, panel_end);
}

const MatmulS8Core kMatmulS8 = {
    .block = block_dot<Ops>,
    .vector = vector_s8,
    .unpack = unpack_s8,
    .sums = sums_s8,
    .dense_rows = false,
    .real = real_s8,
    .serial_macs = 500e3,
};

}  // namespace nibble::kernels::avx512vnni
