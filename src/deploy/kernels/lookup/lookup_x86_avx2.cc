#include <immintrin.h>

#include "deploy/kernels/lookup/lookup_vector.h"
#include "deploy/kernels/lookup/lookup_x86_tables.h"
#include "deploy/kernels/simd/x86_avx2_output_s8.h"

namespace nibble::kernels::avx2 {
namespace {

struct Ops : TablesX86 {
  using V = __m256i;
  static constexpr auto& output_tile = output_tile_avx2;

  static V zero() { return _mm256_setzero_si256(); }
  static V load(const uint8_t* p) { return _mm256_load_si256(reinterpret_cast<const V*>(p)); }
  static V table(const uint8_t* p) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static V low(V v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
  static V high(V v) { return low(_mm256_srli_epi16(v, 4)); }
  static V find(V table, V index) { return _mm256_shuffle_epi8(table, index); }
  /// Nothing saturates; but GCC would balance chains of plain additions, and spill.
  static V add8(V a, V b) { return _mm256_adds_epu8(a, b); }

  /// Words of the lower and upper eight bytes of each half of a register.
  static void add16(V (&words)[2], const V (&halves)[2]) {
    const V weights = _mm256_set1_epi16(1 | 32 << 8);
    const auto joined = [&](V pairs) { return _mm256_maddubs_epi16(pairs, weights); };
    words[0] = _mm256_add_epi16(words[0], joined(_mm256_unpacklo_epi8(halves[0], halves[1])));
    words[1] = _mm256_add_epi16(words[1], joined(_mm256_unpackhi_epi8(halves[0], halves[1])));
  }
  static void add16(V (&words)[2], const V (&bytes)[1]) {
    words[0] = _mm256_add_epi16(words[0], _mm256_unpacklo_epi8(bytes[0], zero()));
    words[1] = _mm256_add_epi16(words[1], _mm256_unpackhi_epi8(bytes[0], zero()));
  }
  static void add32(const V (&words)[2], int shift, int32_t* sums) {
    const auto add = [&](__m128i eight, int at) {
      auto* to = reinterpret_cast<V*>(sums + at);
      const V term = _mm256_sll_epi32(_mm256_cvtepu16_epi32(eight), _mm_cvtsi32_si128(shift));
      _mm256_store_si256(to, _mm256_add_epi32(_mm256_load_si256(to), term));
    };
    for (int half = 0; half < 2; ++half) add(_mm256_castsi256_si128(words[half]), 8 * half);
    for (int half = 0; half < 2; ++half)
      add(_mm256_extracti128_si256(words[half], 1), 16 + 8 * half);
  }
};

}  // namespace

void lookup_core(const Lookup& p, const LookupTask& task) {
  lookup_vector<Ops>(p, task);
}

}  // namespace nibble::kernels::avx2
