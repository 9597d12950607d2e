// Vectors of one register, for kernels that are compiled once an ISA. The including file defines
// NIBBLE_ISA_NAMESPACE and NIBBLE_VECTOR_BYTES (16, 32 or 64) first. Only compiler vector
// extensions: an ISA file instantiates nothing of the standard library, so no inline function
// compiled with its flags can reach other files.
#pragma once

#include <cstdint>

#define NIBBLE_INLINE static inline __attribute__((always_inline))

/// The name of a table of this ISA: NIBBLE_ISA_NAME("float") is "float/avx2".
#define NIBBLE_ISA_NAME(family) family "/" NIBBLE_STRING(NIBBLE_ISA_NAMESPACE)
#define NIBBLE_STRING(x) NIBBLE_QUOTED(x)
#define NIBBLE_QUOTED(x) #x

namespace nibble::kernels::NIBBLE_ISA_NAMESPACE {

template <class T, int kBytes>
struct VectorOf {
  typedef T type __attribute__((vector_size(kBytes)));
};
/// A register of T.
template <class T>
using Vec = typename VectorOf<T, NIBBLE_VECTOR_BYTES>::type;
/// As many T as a register holds doubles.
template <class T>
using Narrow = typename VectorOf<T, NIBBLE_VECTOR_BYTES / 8 * int(sizeof(T))>::type;

template <class V, class T>
NIBBLE_INLINE V load(const T* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V, class T>
NIBBLE_INLINE void store(T* p, V v) {
  __builtin_memcpy(p, &v, sizeof v);
}
template <class V, class T>
NIBBLE_INLINE V splat(T x) {
  return x - V{};
}

/// y[i] = f(x[i]) by vectors V of T; `f` sees zeros beyond the end. x == y is allowed.
template <class V, class T, class U, class F>
NIBBLE_INLINE void map(const T* x, U* y, int64_t n, F f) {
  constexpr int64_t kLanes = sizeof(V) / sizeof(T);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, f(load<V>(x + i)));
  if (i == n) return;
  T in[kLanes] = {};
  U out[kLanes];
  for (int64_t j = i; j < n; ++j) in[j - i] = x[j];
  store(out, f(load<V>(in)));
  for (int64_t j = i; j < n; ++j) y[j] = out[j - i];
}

/// y[i] = f(a[i], b[i]) in the same way.
template <class V, class T, class F>
NIBBLE_INLINE void map(const T* a, const T* b, T* y, int64_t n, F f) {
  constexpr int64_t kLanes = sizeof(V) / sizeof(T);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, f(load<V>(a + i), load<V>(b + i)));
  if (i == n) return;
  T left[kLanes] = {}, right[kLanes] = {}, out[kLanes];
  for (int64_t j = i; j < n; ++j) left[j - i] = a[j], right[j - i] = b[j];
  store(out, f(load<V>(left), load<V>(right)));
  for (int64_t j = i; j < n; ++j) y[j] = out[j - i];
}

}  // namespace nibble::kernels::NIBBLE_ISA_NAMESPACE
