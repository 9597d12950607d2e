#pragma once

#include <immintrin.h>

#include "deploy/kernels/simd/output_s8.h"

// For files compiled for AVX-512 alone; internal linkage, so that no copy meets another ISA's.
namespace nibble::kernels {
namespace {

/// (acc m0 + 2^(shift-1)) >> shift in 64 bits, clamped to [lo, hi].
inline __m512i requantise_fixed_avx512(__m512i acc, __m512i m0, __m512i shift, __m512i lo,
                                       __m512i hi) {
  const auto half = [&](__m512i a, __m512i m, __m512i s) {
    const __m512i one = _mm512_set1_epi64(1);
    const __m512i round = _mm512_sllv_epi64(one, _mm512_sub_epi64(s, one));
    const __m512i y = _mm512_srav_epi64(_mm512_add_epi64(_mm512_mul_epi32(a, m), round), s);
    return _mm512_min_epi64(_mm512_max_epi64(y, lo), hi);
  };
  const __m512i even = half(acc, m0, _mm512_and_si512(shift, _mm512_set1_epi64(0xffffffff)));
  const __m512i odd =
      half(_mm512_srli_epi64(acc, 32), _mm512_srli_epi64(m0, 32), _mm512_srli_epi64(shift, 32));
  return _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
}

/// The output stage for 16 channels from n on: their per-channel constants in registers. Codes come
/// as int32.
class OutputAvx512 {
 public:
  OutputAvx512(const OutputS8& out, int64_t n)
      : fixed_(out.multiplier == nullptr),
        binary_(out.binary),
        sum_shift_(_mm_cvtsi32_si128(out.sum_shift)),
        y_min_(_mm512_set1_epi32(out.y_min)),
        y_max_(_mm512_set1_epi32(out.y_max)),
        bias_(_mm512_loadu_si512(out.bias + n)),
        w_zero_(_mm512_loadu_si512(out.w_zero + n)),
        y_zero_(_mm512_set1_epi32(out.y_zero)) {
    const int32_t lo = out.y_min - out.y_zero, hi = out.y_max - out.y_zero;
    if (fixed_) {
      scale_ = _mm512_loadu_si512(out.m0 + n);
      shift_ = _mm512_loadu_si512(out.shift + n);
      lo_ = _mm512_set1_epi64(lo);
      hi_ = _mm512_set1_epi64(hi);
    } else {
      scale_ = _mm512_loadu_si512(out.multiplier + n);
      lo_ = _mm512_castps_si512(_mm512_set1_ps(static_cast<float>(lo)));
      hi_ = _mm512_castps_si512(_mm512_set1_ps(static_cast<float>(hi)));
    }
  }

  __m512i operator()(__m512i sum, int32_t row_sum) const {
    const __m512i correction =
        _mm512_sub_epi32(bias_, _mm512_mullo_epi32(w_zero_, _mm512_set1_epi32(row_sum)));
    return codes(_mm512_add_epi32(_mm512_sll_epi32(sum, sum_shift_), correction));
  }
  /// Without row sums.
  __m512i operator()(__m512i sum) const {
    return codes(_mm512_add_epi32(_mm512_sll_epi32(sum, sum_shift_), bias_));
  }

 private:
  /// +1 where acc scale >= 0, else -1: the sign of acc unless the scale is zero. Held like codes.
  __m512i signs(__m512i acc) const {
    const __mmask16 negative = _mm512_mask_cmplt_epi32_mask(_mm512_test_epi32_mask(scale_, scale_),
                                                            acc, _mm512_setzero_si512());
    const __m512i sign = _mm512_mask_set1_epi32(_mm512_set1_epi32(1), negative, -1);
    return _mm512_min_epi32(_mm512_max_epi32(sign, y_min_), y_max_);
  }

  __m512i codes(__m512i acc) const {
    if (binary_) return signs(acc);
    __m512i y;
    if (fixed_) {
      y = requantise_fixed_avx512(acc, scale_, shift_, lo_, hi_);
    } else {
      const __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), _mm512_castsi512_ps(scale_));
      y = _mm512_cvtps_epi32(
          _mm512_min_ps(_mm512_max_ps(v, _mm512_castsi512_ps(lo_)), _mm512_castsi512_ps(hi_)));
    }
    return _mm512_add_epi32(y, y_zero_);
  }

  bool fixed_, binary_;
  __m128i sum_shift_;
  __m512i y_min_, y_max_, bias_, w_zero_, y_zero_, scale_, shift_, lo_, hi_;
};

/// 16 channels of variant float, held below the upper bound: rne(float(sum + bias) multiplier). The
/// lower bound is left to saturation and a later maximum: what is below int32 becomes its minimum.
inline __m512i scaled_avx512(const OutputS8& out, int64_t n, __m512i sum, __m512 hi) {
  const __m512i acc = _mm512_add_epi32(sum, _mm512_loadu_si512(out.bias + n));
  const __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), _mm512_loadu_ps(out.multiplier + n));
  return _mm512_cvtps_epi32(_mm512_min_ps(v, hi));
}

/// The output stage of variant float for 64 channels from n on whose zero points are taken off;
/// stores those below `channels`.
inline void store64(const OutputS8& out, int64_t n, int64_t channels, __m512i a0, __m512i a1,
                    __m512i a2, __m512i a3, int8_t* to) {
  const __m512 hi = _mm512_set1_ps(static_cast<float>(out.y_max - out.y_zero));
  const __m512i zero = _mm512_set1_epi16(static_cast<int16_t>(out.y_zero));
  const __m512i lo = _mm512_set1_epi16(static_cast<int16_t>(out.y_min));
  const auto pair = [&](__m512i low, __m512i high) {
    return _mm512_max_epi16(_mm512_adds_epi16(_mm512_packs_epi32(low, high), zero), lo);
  };
  const __m512i y01 = pair(scaled_avx512(out, n, a0, hi), scaled_avx512(out, n + 16, a1, hi));
  const __m512i y23 = pair(scaled_avx512(out, n + 32, a2, hi), scaled_avx512(out, n + 48, a3, hi));
  // Packing works within 128-bit lanes: lane l holds channels 4l.. of every 16.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i y = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(y01, y23));
  const int64_t left = channels - n;
  if (left >= 64)
    _mm512_storeu_si512(to, y);
  else
    _mm512_mask_storeu_epi8(to, (uint64_t{1} << left) - 1, y);
}

/// Lanes of 16 channels from n on that exist.
inline __mmask16 channel_mask(int64_t n, int64_t channels) {
  const int64_t left = channels - n;
  return static_cast<__mmask16>(left >= 16 ? 0xffff : left > 0 ? (1 << left) - 1 : 0);
}

/// 16 codes y, as int32, with their residuals r added.
inline __m512i add_residual_avx512(const OutputS8& out, __m512i y, __m128i r) {
  const ResidualS8& add = out.residual;
  const auto scaled = [](__m512i codes, int32_t zero, float m) {
    const __m512i centred = _mm512_sub_epi32(codes, _mm512_set1_epi32(zero));
    return _mm512_mul_ps(_mm512_cvtepi32_ps(centred), _mm512_set1_ps(m));
  };
  __m512 v = _mm512_add_ps(scaled(y, out.y_zero, add.m_y),
                           scaled(_mm512_cvtepi8_epi32(r), add.r_zero, add.m_r));
  v = _mm512_max_ps(v, _mm512_set1_ps(static_cast<float>(add.lo - add.zero)));
  v = _mm512_min_ps(v, _mm512_set1_ps(static_cast<float>(add.hi - add.zero)));
  return _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(add.zero));
}

/// The output stage of variant float for the 16 channels of a tile from n on, whose zero points are
/// equal (or taken off). Bounds are held as in scaled_avx512.
template <bool kBinary, bool kResidual>
void output_rows_avx512(const OutputS8& out, int64_t n, const TileRows& tile) {
  const __m512i bias = _mm512_loadu_si512(out.bias + n);
  const __m512 scale = _mm512_loadu_ps(out.multiplier + n);
  const __m128i shift = _mm_cvtsi32_si128(out.sum_shift);
  const __m512i y_zero = _mm512_set1_epi32(out.y_zero);
  const __m512 hi = _mm512_set1_ps(static_cast<float>(out.y_max - out.y_zero));
  const __m512i lo = _mm512_set1_epi32(out.y_min - out.y_zero);
  const __mmask16 mask = channel_mask(0, tile.channels);
  const __mmask16 scaled = _mm512_cmpneq_ps_mask(scale, _mm512_setzero_ps());
  const uint32_t w_zero = tile.row_sums ? static_cast<uint32_t>(out.w_zero[n]) : 0;

  for (int64_t i = 0; i < tile.rows; ++i) {
    const uint32_t row_sum = tile.row_sums ? static_cast<uint32_t>(tile.row_sums[i]) : 0;
    const __m512i zero = _mm512_set1_epi32(static_cast<int32_t>(w_zero * row_sum));
    const __m512i sum = _mm512_sll_epi32(_mm512_load_si512(tile.sums + i * tile.pitch), shift);
    const __m512i acc = _mm512_add_epi32(_mm512_sub_epi32(sum, zero), bias);
    __m512i y;
    if constexpr (kBinary) {
      // +1 where acc scale >= 0, else -1: the sign of acc unless the scale is zero.
      const __mmask16 negative = _mm512_mask_cmplt_epi32_mask(scaled, acc, _mm512_setzero_si512());
      const __m512i sign = _mm512_mask_set1_epi32(_mm512_set1_epi32(1), negative, -1);
      y = _mm512_min_epi32(_mm512_max_epi32(sign, lo), _mm512_cvtps_epi32(hi));
    } else {
      const __m512 v = _mm512_min_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), scale), hi);
      y = _mm512_max_epi32(_mm512_cvtps_epi32(v), lo);
    }
    y = _mm512_add_epi32(y, y_zero);
    if constexpr (kResidual)
      y = add_residual_avx512(out, y, _mm_maskz_loadu_epi8(mask, tile.residual + i * tile.stride));
    _mm_mask_storeu_epi8(tile.out + i * tile.stride, mask, _mm512_cvtepi32_epi8(y));
  }
}

/// The same of anything else.
inline void output_rows_any_avx512(const OutputS8& out, int64_t n, const TileRows& tile) {
  const OutputAvx512 codes(out, n);
  const __mmask16 mask = channel_mask(0, tile.channels);
  for (int64_t i = 0; i < tile.rows; ++i) {
    const __m512i sum = _mm512_load_si512(tile.sums + i * tile.pitch);
    __m512i y = tile.row_sums ? codes(sum, tile.row_sums[i]) : codes(sum);
    if (tile.residual)
      y = add_residual_avx512(out, y, _mm_maskz_loadu_epi8(mask, tile.residual + i * tile.stride));
    _mm_mask_storeu_epi8(tile.out + i * tile.stride, mask, _mm512_cvtepi32_epi8(y));
  }
}

/// The output stage for the 16 channels of a tile from n on.
__attribute__((noinline)) inline void output_tile_avx512(const OutputS8& out, int64_t n,
                                                         const TileRows& tile) {
  const bool fast = out.multiplier && (out.same_zero || !tile.row_sums);
  if (!fast || (out.binary && tile.residual)) return output_rows_any_avx512(out, n, tile);
  if (out.binary) return output_rows_avx512<true, false>(out, n, tile);
  if (tile.residual) return output_rows_avx512<false, true>(out, n, tile);
  output_rows_avx512<false, false>(out, n, tile);
}

}  // namespace
}  // namespace nibble::kernels
