#include <immintrin.h>

#include "deploy/kernels/lookup/lookup_vector.h"
#include "deploy/kernels/lookup/lookup_x86_tables.h"
#include "deploy/kernels/simd/x86_avx512_output_s8.h"

namespace nibble::kernels::avx512bw {
namespace {

struct Ops : TablesX86 {
  using V = __m512i;
  static constexpr auto& output_tile = output_tile_avx512;

  static V zero() { return _mm512_setzero_si512(); }
  static V load(const uint8_t* p) { return _mm512_load_si512(p); }
  static V table(const uint8_t* p) {
    return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static V low(V v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
  static V high(V v) { return low(_mm512_srli_epi16(v, 4)); }
  static V find(V table, V index) { return _mm512_shuffle_epi8(table, index); }
  /// Nothing saturates; but GCC would balance chains of plain additions, and spill.
  static V add8(V a, V b) { return _mm512_adds_epu8(a, b); }

  /// Words of the lower and upper eight bytes of each quarter of a register.
  static void add16(V (&words)[2], const V (&halves)[2]) {
    const V weights = _mm512_set1_epi16(1 | 32 << 8);
    const auto joined = [&](V pairs) { return _mm512_maddubs_epi16(pairs, weights); };
    words[0] = _mm512_add_epi16(words[0], joined(_mm512_unpacklo_epi8(halves[0], halves[1])));
    words[1] = _mm512_add_epi16(words[1], joined(_mm512_unpackhi_epi8(halves[0], halves[1])));
  }
  static void add16(V (&words)[2], const V (&bytes)[1]) {
    words[0] = _mm512_add_epi16(words[0], _mm512_unpacklo_epi8(bytes[0], zero()));
    words[1] = _mm512_add_epi16(words[1], _mm512_unpackhi_epi8(bytes[0], zero()));
  }
  static void add32(const V (&words)[2], int shift, int32_t* sums) {
    const auto add = [&](__m256i sixteen, int at) {
      const V term = _mm512_sll_epi32(_mm512_cvtepu16_epi32(sixteen), _mm_cvtsi32_si128(shift));
      _mm512_store_si512(sums + at, _mm512_add_epi32(_mm512_load_si512(sums + at), term));
    };
    const V first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    for (int half = 0; half < 2; ++half) {
      const V order = half ? _mm512_add_epi64(first, _mm512_set1_epi64(4)) : first;
      const V ordered = _mm512_permutex2var_epi64(words[0], order, words[1]);
      add(_mm512_castsi512_si256(ordered), 32 * half);
      add(_mm512_extracti64x4_epi64(ordered, 1), 32 * half + 16);
    }
  }
};

}  // namespace

void lookup_core(const Lookup& p, const LookupTask& task) {
  lookup_vector<Ops>(p, task);
}

}  // namespace nibble::kernels::avx512bw
