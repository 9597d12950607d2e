// The PoolTable of one ISA: included once by each ISA file.
#pragma once

#include "deploy/kernels/pool/pool.h"
#include "deploy/kernels/simd/lanes.h"

namespace nibble::kernels::NIBBLE_ISA_NAMESPACE {

/// Calls f(tap) for all taps in order.
template <class T, class F>
NIBBLE_INLINE void for_taps(const T* x, const Box& box, F f) {
  for (int64_t i = 0; i < box.count[0]; ++i)
    for (int64_t j = 0; j < box.count[1]; ++j) {
      const T* row = x + i * box.stride[0] + j * box.stride[1];
      for (int64_t k = 0; k < box.count[2]; ++k) f(row + k * box.stride[2]);
    }
}

/// Calls vector(c) for steps of kLanes channels, the last one overlapping, or scalar(c) where there
/// are fewer.
template <int64_t kLanes, class Vector, class Scalar>
NIBBLE_INLINE void for_channels(int64_t channels, Vector vector, Scalar scalar) {
  if (channels < kLanes) {
    for (int64_t c = 0; c < channels; ++c) scalar(c);
    return;
  }
  for (int64_t c = 0; c + kLanes <= channels; c += kLanes) vector(c);
  if (channels % kLanes != 0) vector(channels - kLanes);
}

template <class V>
NIBBLE_INLINE V greater(V a, V b) {
  return ((a > b) | (a != a)) ? a : b;
}

template <class T>
static void maximum(const T* x, const Box& box, int64_t channels, T* y) {
  using V = Vec<T>;
  for_channels<sizeof(V) / sizeof(T)>(
      channels,
      [&](int64_t c) __attribute__((always_inline)) {
        V best = load<V>(x + c);
        for_taps(
            x + c, box, [&](const T* tap) __attribute__((always_inline)) {
              best = greater(load<V>(tap), best);
            });
        store(y + c, best);
      },
      [&](int64_t c) __attribute__((always_inline)) {
        T best = x[c];
        for_taps(
            x + c,
            box, [&](const T* tap) __attribute__((always_inline)) { best = greater(*tap, best); });
        y[c] = best;
      });
}

/// Sums of codes: exact in Sum, and their quotient in binary64 is so close to the true one that
/// rounding it to an integer rounds the true one (a quotient of integers is a tie or at least 1/(2
/// divisor) away from it).
template <class T, class Sum>
static void average_codes(const T* x, const Box& box, int64_t channels, int64_t extra,
                          int64_t divisor, T* y) {
  constexpr int kLanes = NIBBLE_VECTOR_BYTES / 4;
  constexpr double kShift = 0x1.8p52;  // rounds to an integer, ties to even
  using X = typename VectorOf<T, kLanes* int(sizeof(T))>::type;
  using S = typename VectorOf<Sum, kLanes* int(sizeof(Sum))>::type;
  using Real = typename VectorOf<double, kLanes * 8>::type;
  using Code = typename VectorOf<int32_t, kLanes * 4>::type;
  const double count = static_cast<double>(divisor);
  for_channels<kLanes>(
      channels,
      [&](int64_t c) __attribute__((always_inline)) {
        S sum = S{} + static_cast<Sum>(extra);
        for_taps(
            x + c, box, [&](const T* tap) __attribute__((always_inline)) {
              sum += __builtin_convertvector(load<X>(tap), S);
            });
        const Real mean = (__builtin_convertvector(sum, Real) / count + kShift) - kShift;
        store(y + c, __builtin_convertvector(__builtin_convertvector(mean, Code), X));
      },
      [&](int64_t c) __attribute__((always_inline)) {
        Sum sum = static_cast<Sum>(extra);
        for_taps(
            x + c, box, [&](const T* tap) __attribute__((always_inline)) { sum += *tap; });
        y[c] = static_cast<T>(
            static_cast<int32_t>((static_cast<double>(sum) / count + kShift) - kShift));
      });
}

static void average_reals(const float* x, const Box& box, int64_t channels, int64_t extra,
                          int64_t divisor, float* y) {
  using F = Vec<float>;
  const float first = static_cast<float>(extra), count = static_cast<float>(divisor);
  for_channels<sizeof(F) / 4>(
      channels,
      [&](int64_t c) __attribute__((always_inline)) {
        F sum = splat<F>(first);
        for_taps(
            x + c,
            box, [&](const float* tap) __attribute__((always_inline)) { sum += load<F>(tap); });
        store(y + c, sum / count);
      },
      [&](int64_t c) __attribute__((always_inline)) {
        float sum = first;
        for_taps(
            x + c, box, [&](const float* tap) __attribute__((always_inline)) { sum += *tap; });
        y[c] = sum / count;
      });
}

const PoolTable kPoolTable = {NIBBLE_ISA_NAME("pool"),
                              {maximum<float>, average_reals},
                              {maximum<int8_t>, average_codes<int8_t, int32_t>},
                              {maximum<uint8_t>, average_codes<uint8_t, int32_t>},
                              {maximum<int16_t>, average_codes<int16_t, int64_t>}};

}  // namespace nibble::kernels::NIBBLE_ISA_NAMESPACE
