// Tables of four codes in AVX2 registers. Included by x86 ISA files; internal linkage.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace nibble::kernels {
namespace {

struct TablesX86 {
  /// For each group of four codes the 16 sums that bits choose, less `least`: their lowest five
  /// bits, then the others; or, under kHalves 1, whole bytes.
  template <int kHalves>
  static void tables(const int8_t* a, int64_t groups, int32_t least, uint8_t* out) {
    // Bytes of a double word: the bits of a pattern. Packing puts the patterns in order.
    const auto patterns = [](int first, int second) {
      const auto chosen = [](int pattern) {
        return (pattern & 1) | (pattern & 2) << 7 | (pattern & 4) << 14 | (pattern & 8) << 21;
      };
      return _mm256_setr_epi32(chosen(first), chosen(first + 1), chosen(first + 2),
                               chosen(first + 3), chosen(second), chosen(second + 1),
                               chosen(second + 2), chosen(second + 3));
    };
    const __m256i even = patterns(0, 8), odd = patterns(4, 12);
    const __m256i one = _mm256_set1_epi16(1), offset = _mm256_set1_epi16(int16_t(-least));
    for (int64_t g = 0; g < groups; ++g, out += 16 * kHalves) {
      int32_t four;
      __builtin_memcpy(&four, a + 4 * g, 4);
      const __m256i codes = _mm256_set1_epi32(four);
      const __m256i sums =
          _mm256_packs_epi32(_mm256_madd_epi16(_mm256_maddubs_epi16(even, codes), one),
                             _mm256_madd_epi16(_mm256_maddubs_epi16(odd, codes), one));
      const __m256i entries = _mm256_add_epi16(sums, offset);
      if constexpr (kHalves == 2) {
        const __m256i low = _mm256_and_si256(entries, _mm256_set1_epi16(31));
        const __m256i bytes = _mm256_packus_epi16(low, _mm256_srli_epi16(entries, 5));
        _mm256_store_si256(reinterpret_cast<__m256i*>(out), _mm256_permute4x64_epi64(bytes, 0xd8));
      } else {
        const __m256i bytes = _mm256_packus_epi16(entries, entries);
        _mm_store_si128(reinterpret_cast<__m128i*>(out),
                        _mm256_castsi256_si128(_mm256_permute4x64_epi64(bytes, 0xd8)));
      }
    }
  }
};

}  // namespace
}  // namespace nibble::kernels
