#include <immintrin.h>

#include "deploy/kernels/bitserial/bitserial_vector.h"
#include "deploy/kernels/simd/x86_avx512_output_s8.h"

namespace nibble::kernels::avx512vnni {
namespace {

struct Ops {
  using V = __m512i;
  static constexpr auto& output_tile = output_tile_avx512;
  static constexpr int kVectors = 2, kRows = 8;
  static constexpr int64_t kRoom = INT64_MAX;  // counts are 64-bit lanes already

  static V zero() { return _mm512_setzero_si512(); }
  static V load(const uint64_t* p) { return _mm512_load_si512(p); }
  static V splat64(uint64_t x) { return _mm512_set1_epi64(static_cast<int64_t>(x)); }
  static V both(V a, V b) { return _mm512_and_si512(a, b); }
  static V add64(V a, V b) { return _mm512_add_epi64(a, b); }
  static V sub64(V a, V b) { return _mm512_sub_epi64(a, b); }
  static V shift_left64(V a, int by) { return _mm512_sll_epi64(a, _mm_cvtsi32_si128(by)); }
  static V add_bits(V counts, V v) { return _mm512_add_epi64(counts, _mm512_popcnt_epi64(v)); }
  static V to_words(V counts) { return counts; }
  static void narrow(const V (&totals)[2], int32_t* sums) {
    for (int h = 0; h < 2; ++h)
      _mm256_store_si256(reinterpret_cast<__m256i*>(sums + 8 * h),
                         _mm512_cvtepi64_epi32(totals[h]));
  }
  static uint64_t bits64(const int8_t* p, int bit) {
    return _mm512_test_epi8_mask(_mm512_loadu_si512(p), _mm512_set1_epi8(char(1 << bit)));
  }
};

}  // namespace

void bitserial(const BitSerial& p, const uint64_t* const* rows, const int32_t* row_sums, int64_t m,
               int8_t* out, const int8_t* residual, int64_t stride, int64_t begin, int64_t end) {
  bitserial_vector<Ops>(p, rows, row_sums, m, out, residual, stride, begin, end);
}

void bit_planes(const int8_t* x, int64_t pixels, int64_t channels, int planes, int64_t plane,
                uint64_t* out) {
  bit_planes_vector<Ops>(x, pixels, channels, planes, plane, out);
}

}  // namespace nibble::kernels::avx512vnni
