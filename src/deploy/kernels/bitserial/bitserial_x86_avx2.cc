#include <immintrin.h>

#include "deploy/kernels/bitserial/bitserial_vector.h"
#include "deploy/kernels/simd/x86_avx2_output_s8.h"

namespace nibble::kernels::avx2 {
namespace {

struct Ops {
  using V = __m256i;
  static constexpr auto& output_tile = output_tile_avx2;
  static constexpr int kVectors = 4, kRows = 2;
  static constexpr int64_t kRoom = 31;  // bytes of at most 8 each

  static V zero() { return _mm256_setzero_si256(); }
  static V load(const uint64_t* p) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
  }
  static V splat64(uint64_t x) { return _mm256_set1_epi64x(static_cast<int64_t>(x)); }
  static V both(V a, V b) { return _mm256_and_si256(a, b); }
  static V add64(V a, V b) { return _mm256_add_epi64(a, b); }
  static V sub64(V a, V b) { return _mm256_sub_epi64(a, b); }
  static V shift_left64(V a, int by) { return _mm256_sll_epi64(a, _mm_cvtsi32_si128(by)); }
  /// Bits of every byte, by a table of nibbles.
  static V add_bits(V counts, V v) {
    const V low = _mm256_set1_epi8(15);
    const V table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1,
                                     2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const V a = _mm256_shuffle_epi8(table, _mm256_and_si256(v, low));
    const V b = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low));
    return _mm256_add_epi8(counts, _mm256_add_epi8(a, b));
  }
  static V to_words(V counts) { return _mm256_sad_epu8(counts, zero()); }
  /// The low halves of 16 lanes of 64 bits, in order.
  static void narrow(const V (&totals)[4], int32_t* sums) {
    for (int h = 0; h < 2; ++h) {
      const __m256 pairs = _mm256_shuffle_ps(_mm256_castsi256_ps(totals[2 * h]),
                                             _mm256_castsi256_ps(totals[2 * h + 1]), 0x88);
      _mm256_store_si256(reinterpret_cast<__m256i*>(sums + 8 * h),
                         _mm256_permute4x64_epi64(_mm256_castps_si256(pairs), 0xd8));
    }
  }
  static uint64_t bits64(const int8_t* p, int bit) {
    const __m128i up = _mm_cvtsi32_si128(7 - bit);
    const auto half = [&](const int8_t* from) {
      const V v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
      return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_sll_epi16(v, up)));
    };
    return half(p) | uint64_t{half(p + 32)} << 32;
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

}  // namespace nibble::kernels::avx2
