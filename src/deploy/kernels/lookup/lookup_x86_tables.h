// Tables of four codes in AVX2 registers. Included by x86 ISA files; internal linkage.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace nibble::kernels {
namespace {

struct TablesX86 {
  /// Tables of `bytes` times eight codes (lookup_vector.h): the two groups of four in the halves of
  /// a register, entry i the sum of one of four pairs (bits 0, 1 of i) and another (bits 2, 3).
  template <int kHalves>
  static void tables(const int8_t* a, int64_t bytes, int32_t least, uint8_t* out) {
    const __m256i pairs = _mm256_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3,  //
                                           4, 5, 4, 5, 4, 5, 4, 5, 6, 7, 6, 7, 6, 7, 6, 7);
    const __m256i chosen = _mm256_set1_epi64x(0x0101'0100'0001'0000);
    const __m256i offset = _mm256_set1_epi64x(0x0001'0001'0001'0001 * -least);
    const __m256i third = words(4, 5), fourth = words(6, 7);
    for (int64_t i = 0; i < bytes; ++i, out += 32 * kHalves) {
      int64_t eight;
      __builtin_memcpy(&eight, a + 8 * i, 8);
      const __m256i codes = _mm256_shuffle_epi8(_mm256_set1_epi64x(eight), pairs);
      const __m256i sums = _mm256_maddubs_epi16(chosen, codes);
      const __m256i first = _mm256_add_epi16(_mm256_shuffle_epi32(sums, 0x44), offset);
      const __m256i lower = _mm256_add_epi16(first, _mm256_shuffle_epi8(sums, third));
      const __m256i upper = _mm256_add_epi16(first, _mm256_shuffle_epi8(sums, fourth));
      auto* to = reinterpret_cast<__m256i*>(out);
      if constexpr (kHalves == 2) {
        const __m256i low = _mm256_set1_epi16(31);
        _mm256_store_si256(
            to, _mm256_packus_epi16(_mm256_and_si256(lower, low), _mm256_and_si256(upper, low)));
        _mm256_store_si256(
            to + 1, _mm256_packus_epi16(_mm256_srli_epi16(lower, 5), _mm256_srli_epi16(upper, 5)));
      } else {
        _mm256_store_si256(to, _mm256_packus_epi16(lower, upper));
      }
    }
  }

 private:
  /// Four times word i, then four times word j, in each half.
  static __m256i words(int i, int j) {
    const auto four = [](int word) {
      return 0x0001'0001'0001'0001 * (2 * word | (2 * word + 1) << 8);
    };
    return _mm256_setr_epi64x(four(i), four(j), four(i), four(j));
  }
};

}  // namespace
}  // namespace nibble::kernels
