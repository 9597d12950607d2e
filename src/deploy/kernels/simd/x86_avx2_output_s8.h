#pragma once

#include <immintrin.h>

#include "deploy/kernels/simd/output_s8.h"

// For files compiled for AVX2 alone; internal linkage, so that no copy meets another ISA's.
namespace nibble::kernels {
namespace {

/// (acc m0 + 2^(shift-1)) >> shift in 64 bits, clamped to [lo, hi]. AVX2 has no arithmetic 64-bit
/// shift: the sum is biased to be non-negative (|sum| < 2^63) and the bias taken off after it.
inline __m256i requantise_fixed_avx2(__m256i acc, __m256i m0, __m256i shift, __m256i lo,
                                     __m256i hi) {
  const auto half = [&](__m256i a, __m256i m, __m256i s) {
    const __m256i one = _mm256_set1_epi64x(1);
    const __m256i top = _mm256_set1_epi64x(INT64_MIN);
    const __m256i round = _mm256_sllv_epi64(one, _mm256_sub_epi64(s, one));
    const __m256i sum = _mm256_add_epi64(_mm256_mul_epi32(a, m), round);
    __m256i y = _mm256_sub_epi64(_mm256_srlv_epi64(_mm256_xor_si256(sum, top), s),
                                 _mm256_srlv_epi64(top, s));
    y = _mm256_blendv_epi8(y, lo, _mm256_cmpgt_epi64(lo, y));
    return _mm256_blendv_epi8(y, hi, _mm256_cmpgt_epi64(y, hi));
  };
  const __m256i even = half(acc, m0, _mm256_and_si256(shift, _mm256_set1_epi64x(0xffffffff)));
  const __m256i odd =
      half(_mm256_srli_epi64(acc, 32), _mm256_srli_epi64(m0, 32), _mm256_srli_epi64(shift, 32));
  return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}

/// The output stage for 8 channels from n on: their per-channel constants in registers. Codes come
/// as int32.
class OutputAvx2 {
 public:
  OutputAvx2(const OutputS8& out, int64_t n)
      : fixed_(out.multiplier == nullptr),
        binary_(out.binary),
        sum_shift_(_mm_cvtsi32_si128(out.sum_shift)),
        y_min_(_mm256_set1_epi32(out.y_min)),
        y_max_(_mm256_set1_epi32(out.y_max)),
        bias_(load(out.bias + n)),
        w_zero_(load(out.w_zero + n)),
        y_zero_(_mm256_set1_epi32(out.y_zero)) {
    const int32_t lo = out.y_min - out.y_zero, hi = out.y_max - out.y_zero;
    if (fixed_) {
      scale_ = load(out.m0 + n);
      shift_ = load(out.shift + n);
      lo_ = _mm256_set1_epi64x(lo);
      hi_ = _mm256_set1_epi64x(hi);
    } else {
      scale_ = load(out.multiplier + n);
      shift_ = _mm256_setzero_si256();
      lo_ = _mm256_castps_si256(_mm256_set1_ps(static_cast<float>(lo)));
      hi_ = _mm256_castps_si256(_mm256_set1_ps(static_cast<float>(hi)));
    }
  }

  __m256i operator()(__m256i sum, int32_t row_sum) const {
    const __m256i correction =
        _mm256_sub_epi32(bias_, _mm256_mullo_epi32(w_zero_, _mm256_set1_epi32(row_sum)));
    return codes(_mm256_add_epi32(_mm256_sll_epi32(sum, sum_shift_), correction));
  }
  /// Without row sums.
  __m256i operator()(__m256i sum) const {
    return codes(_mm256_add_epi32(_mm256_sll_epi32(sum, sum_shift_), bias_));
  }

 private:
  static __m256i load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

  /// +1 where acc scale >= 0, else -1: the sign of acc unless the scale is zero. Held like codes.
  __m256i signs(__m256i acc) const {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i negative =
        _mm256_andnot_si256(_mm256_cmpeq_epi32(scale_, zero), _mm256_srai_epi32(acc, 31));
    const __m256i sign = _mm256_or_si256(negative, _mm256_set1_epi32(1));
    return _mm256_min_epi32(_mm256_max_epi32(sign, y_min_), y_max_);
  }

  __m256i codes(__m256i acc) const {
    if (binary_) return signs(acc);
    __m256i y;
    if (fixed_) {
      y = requantise_fixed_avx2(acc, scale_, shift_, lo_, hi_);
    } else {
      const __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_castsi256_ps(scale_));
      y = _mm256_cvtps_epi32(
          _mm256_min_ps(_mm256_max_ps(v, _mm256_castsi256_ps(lo_)), _mm256_castsi256_ps(hi_)));
    }
    return _mm256_add_epi32(y, y_zero_);
  }

  bool fixed_, binary_;
  __m128i sum_shift_;
  __m256i y_min_, y_max_, bias_, w_zero_, y_zero_, scale_, shift_, lo_, hi_;
};

/// Eight codes y, as int32, with their residuals r added.
inline __m256i add_residual_avx2(const OutputS8& out, __m256i y, __m128i r) {
  const ResidualS8& add = out.residual;
  const auto scaled = [](__m256i codes, int32_t zero, float m) {
    const __m256i centred = _mm256_sub_epi32(codes, _mm256_set1_epi32(zero));
    return _mm256_mul_ps(_mm256_cvtepi32_ps(centred), _mm256_set1_ps(m));
  };
  __m256 v = _mm256_add_ps(scaled(y, out.y_zero, add.m_y),
                           scaled(_mm256_cvtepi8_epi32(r), add.r_zero, add.m_r));
  v = _mm256_max_ps(v, _mm256_set1_ps(static_cast<float>(add.lo - add.zero)));
  v = _mm256_min_ps(v, _mm256_set1_ps(static_cast<float>(add.hi - add.zero)));
  return _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(add.zero));
}

/// 16 codes as bytes, from int16 in the order in which _mm256_packs_epi32 leaves channels 0..7 and
/// 8..15: it packs within 128-bit lanes.
inline __m128i pack_pairs(__m256i pairs) {
  const __m128i fours =
      _mm_packs_epi16(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
  return _mm_shuffle_epi32(fours, 0xd8);
}
/// 16 codes of int32, in the order of the channels, as bytes.
inline __m128i pack_codes(__m256i first, __m256i second) {
  return pack_pairs(_mm256_packs_epi32(first, second));
}

/// Loads and stores the first `left` of 16 codes.
inline __m128i load_codes(const int8_t* p, int64_t left) {
  if (left >= 16) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  if (left == 8) return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  alignas(16) int8_t bytes[16] = {};
  for (int64_t i = 0; i < left; ++i) bytes[i] = p[i];
  return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
}
inline void store_codes(int8_t* out, __m128i codes, int64_t left) {
  if (left >= 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), codes);
    return;
  }
  if (left == 8) return _mm_storel_epi64(reinterpret_cast<__m128i*>(out), codes);
  alignas(16) int8_t bytes[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(bytes), codes);
  for (int64_t i = 0; i < left; ++i) out[i] = bytes[i];
}

/// The output stage of variant float for the 16 channels of a tile from n on, whose zero points are
/// equal (or taken off). The upper bound is held in binary32, the lower one by saturation and a
/// later maximum: what is below int32 becomes its minimum.
template <bool kBinary, bool kResidual>
void output_rows_avx2(const OutputS8& out, int64_t n, const TileRows& tile) {
  const auto load = [](const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
  };
  const __m256i bias[2] = {load(out.bias + n), load(out.bias + n + 8)};
  const __m256i scale[2] = {load(out.multiplier + n), load(out.multiplier + n + 8)};
  const __m128i shift = _mm_cvtsi32_si128(out.sum_shift);
  const __m256 lo = _mm256_set1_ps(static_cast<float>(out.y_min - out.y_zero));
  const __m256 hi = _mm256_set1_ps(static_cast<float>(out.y_max - out.y_zero));
  const __m256i y_zero = _mm256_set1_epi16(static_cast<int16_t>(out.y_zero));
  const __m256i y_min = _mm256_set1_epi16(static_cast<int16_t>(out.y_min));
  const __m256i y_max = _mm256_set1_epi16(static_cast<int16_t>(out.y_max));
  const ResidualS8& add = out.residual;
  const __m256 m_y = _mm256_set1_ps(add.m_y), m_r = _mm256_set1_ps(add.m_r);
  const __m256i r_zero = _mm256_set1_epi32(add.r_zero);
  const __m256i add_zero = _mm256_set1_epi16(static_cast<int16_t>(add.zero));
  const __m256i add_lo = _mm256_set1_epi16(static_cast<int16_t>(add.lo));
  const __m256 add_hi = _mm256_set1_ps(static_cast<float>(add.hi - add.zero));
  const uint32_t w_zero = tile.row_sums ? static_cast<uint32_t>(out.w_zero[n]) : 0;

  for (int64_t i = 0; i < tile.rows; ++i) {
    const int32_t* sums = tile.sums + i * tile.pitch;
    const uint32_t row_sum = tile.row_sums ? static_cast<uint32_t>(tile.row_sums[i]) : 0;
    const __m256i zero = _mm256_set1_epi32(static_cast<int32_t>(w_zero * row_sum));
    const auto acc = [&](int half) {
      const __m256i sum = _mm256_sll_epi32(load(sums + 8 * half), shift);
      return _mm256_add_epi32(_mm256_sub_epi32(sum, zero), bias[half]);
    };
    __m256i pairs;
    if constexpr (kBinary) {
      // +1 where acc scale >= 0, else -1: the sign of acc unless the scale is zero.
      const auto sign = [&](int half) {
        const __m256i none = _mm256_cmpeq_epi32(scale[half], _mm256_setzero_si256());
        return _mm256_andnot_si256(none, _mm256_srai_epi32(acc(half), 31));
      };
      pairs = _mm256_or_si256(_mm256_packs_epi32(sign(0), sign(1)), _mm256_set1_epi16(1));
      pairs = _mm256_min_epi16(_mm256_max_epi16(_mm256_add_epi16(pairs, y_zero), y_min), y_max);
    } else {
      const auto scaled = [&](int half) {
        const __m256 v =
            _mm256_mul_ps(_mm256_cvtepi32_ps(acc(half)), _mm256_castsi256_ps(scale[half]));
        return _mm256_min_ps(v, hi);
      };
      if constexpr (kResidual) {
        const __m128i r = load_codes(tile.residual + i * tile.stride, tile.channels);
        const auto sum = [&](int half) {
          const __m256 y = _mm256_round_ps(_mm256_max_ps(scaled(half), lo),
                                           _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
          const __m256i codes = _mm256_cvtepi8_epi32(half ? _mm_srli_si128(r, 8) : r);
          const __m256 other = _mm256_cvtepi32_ps(_mm256_sub_epi32(codes, r_zero));
          const __m256 v = _mm256_add_ps(_mm256_mul_ps(y, m_y), _mm256_mul_ps(other, m_r));
          return _mm256_cvtps_epi32(_mm256_min_ps(v, add_hi));
        };
        pairs = _mm256_adds_epi16(_mm256_packs_epi32(sum(0), sum(1)), add_zero);
        pairs = _mm256_max_epi16(pairs, add_lo);
      } else {
        pairs = _mm256_packs_epi32(_mm256_cvtps_epi32(scaled(0)), _mm256_cvtps_epi32(scaled(1)));
        pairs = _mm256_max_epi16(_mm256_adds_epi16(pairs, y_zero), y_min);
      }
    }
    store_codes(tile.out + i * tile.stride, pack_pairs(pairs), tile.channels);
  }
}

/// The same of anything else.
inline void output_rows_any_avx2(const OutputS8& out, int64_t n, const TileRows& tile) {
  const OutputAvx2 first(out, n), second(out, n + 8);
  for (int64_t i = 0; i < tile.rows; ++i) {
    const auto* sums = reinterpret_cast<const __m256i*>(tile.sums + i * tile.pitch);
    __m256i y0 = tile.row_sums ? first(sums[0], tile.row_sums[i]) : first(sums[0]);
    __m256i y1 = tile.row_sums ? second(sums[1], tile.row_sums[i]) : second(sums[1]);
    if (tile.residual) {
      const __m128i r = load_codes(tile.residual + i * tile.stride, tile.channels);
      y0 = add_residual_avx2(out, y0, r);
      y1 = add_residual_avx2(out, y1, _mm_srli_si128(r, 8));
    }
    store_codes(tile.out + i * tile.stride, pack_codes(y0, y1), tile.channels);
  }
}

/// The output stage for the 16 channels of a tile from n on.
__attribute__((noinline)) inline void output_tile_avx2(const OutputS8& out, int64_t n,
                                                       const TileRows& tile) {
  const bool fast = out.multiplier && (out.same_zero || !tile.row_sums);
  if (!fast || (out.binary && tile.residual)) return output_rows_any_avx2(out, n, tile);
  if (out.binary) return output_rows_avx2<true, false>(out, n, tile);
  if (tile.residual) return output_rows_avx2<false, true>(out, n, tile);
  output_rows_avx2<false, false>(out, n, tile);
}

}  // namespace
}  // namespace nibble::kernels
