// The table of CodeKernels of one ISA, from vectors: included once by each ISA file, which defines
// NIBBLE_ISA_NAMESPACE, NIBBLE_VECTOR_BYTES and look_up() (code_map_rows.h).
#pragma once

#include "deploy/kernels/requantise/code_map_rows.h"
#include "deploy/kernels/requantise/codes.h"
#include "deploy/kernels/requantise/table.h"
#include "deploy/kernels/simd/lanes.h"

namespace nibble::kernels::NIBBLE_ISA_NAMESPACE {

inline constexpr int64_t kLanes = NIBBLE_VECTOR_BYTES / 4;
/// As many T as a register holds floats.
template <class T>
using Lane = typename VectorOf<T, kLanes* int(sizeof(T))>::type;
using F = Lane<float>;
using I = Lane<int32_t>;

// GCC converts a register between bytes and int32 one by one where it has no instruction for it:
// byte shuffles do it instead.

/// The low bytes of integers that fit.
template <class Y>
NIBBLE_INLINE Lane<Y> narrow(I v) {
  using Bytes = VectorOf<signed char, NIBBLE_VECTOR_BYTES>::type;
  if constexpr (sizeof(Y) == 1 && NIBBLE_VECTOR_BYTES == 16)
    return (Lane<Y>)__builtin_shufflevector((Bytes)v, (Bytes)v, 0, 4, 8, 12);
  else if constexpr (sizeof(Y) == 1 && NIBBLE_VECTOR_BYTES == 32)
    return (Lane<Y>)__builtin_shufflevector((Bytes)v, (Bytes)v, 0, 4, 8, 12, 16, 20, 24, 28);
  else
    return __builtin_convertvector(v, Lane<Y>);
}

/// Clamps, rounds half to even and stores. |range| < 2^18, so that adding 1.5 * 2^23 leaves the
/// rounded integer in the low bits of the sum.
template <class Y>
struct ToCode {
  F lo, hi;
  I zero;
  explicit ToCode(CodeRange r)
      : lo(splat<F>(static_cast<float>(r.lo - r.zero))),
        hi(splat<F>(static_cast<float>(r.hi - r.zero))),
        zero(splat<I>(r.zero - 0x4b400000)) {}
  __attribute__((always_inline)) Lane<Y> operator()(F v) const {
    v = v < lo ? lo : v;
    v = v > hi ? hi : v;
    const I rounded = (I)(v + 12582912.0f);
    return narrow<Y>(rounded + zero);
  }
};

/// Bytes as integers: each goes to the top of its lane and is shifted down.
template <class Q>
NIBBLE_INLINE I widen(Lane<Q> q) {
  using Bytes = VectorOf<signed char, NIBBLE_VECTOR_BYTES>::type;
  using U = Lane<uint32_t>;
  const auto down = [](Bytes tops) __attribute__((always_inline)) {
    return Q(-1) < Q(0) ? (I)tops >> 24 : (I)((U)tops >> 24);
  };
  if constexpr (sizeof(Q) == 1 && NIBBLE_VECTOR_BYTES == 16) {
    const Bytes b = (Bytes)(U{} + __builtin_bit_cast(uint32_t, q));
    return down(__builtin_shufflevector(b, b, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3));
  } else if constexpr (sizeof(Q) == 1 && NIBBLE_VECTOR_BYTES == 32) {
    const Bytes b = (Bytes)(Vec<uint64_t>{} + __builtin_bit_cast(uint64_t, q));
    return down(__builtin_shufflevector(b, b, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 20,
                                        20, 20, 20, 21, 21, 21, 21, 22, 22, 22, 22, 23, 23, 23,
                                        23));
  } else {
    return __builtin_convertvector(q, I);
  }
}

template <class Q>
struct ToInt {
  I zero;
  explicit ToInt(int32_t z) : zero(splat<I>(z)) {}
  __attribute__((always_inline)) I operator()(Lane<Q> q) const { return widen<Q>(q) - zero; }
};

NIBBLE_INLINE F to_float(I v) {
  return __builtin_convertvector(v, F);
}

template <class Y>
static void quantize(const float* x, void* out, int64_t n, float scale, CodeRange r) {
  const ToCode<Y> code(r);
  const F s = splat<F>(scale);
  map<F>(
      x, static_cast<Y*>(out), n, [&](F v) __attribute__((always_inline)) {
        const F ratio = v / s;
        return code(ratio == ratio ? ratio : F{});
      });
}

template <class Q>
static void dequantize(const void* in, float* y, int64_t n, float scale, int32_t zero) {
  const ToInt<Q> code(zero);
  const F s = splat<F>(scale);
  map<Lane<Q>>(
      static_cast<const Q*>(in), y,
      n, [&](Lane<Q> q) __attribute__((always_inline)) { return to_float(code(q)) * s; });
}

template <class Q, class Y>
static void requantize(const void* in, void* out, int64_t n, const CodeFactors& f, CodeRange r) {
  const ToInt<Q> from(f.zero_a);
  const ToCode<Y> code(r);
  const F m = splat<F>(f.m_a);
  map<Lane<Q>>(
      static_cast<const Q*>(in), static_cast<Y*>(out),
      n, [&](Lane<Q> q) __attribute__((always_inline)) { return code(to_float(from(q)) * m); });
}

/// One operand of a row: it moves on or stands still.
template <class T>
struct Source {
  const T* p;
  bool moves;
  Lane<T> still;
  Source(const void* data, int64_t step, int64_t n)
      : p(static_cast<const T*>(data)), moves(step != 0), still{} {
    if (n > 0 && !moves) still = splat<Lane<T>>(*p);
  }
  __attribute__((always_inline)) Lane<T> at(int64_t i) const {
    return moves ? load<Lane<T>>(p + i) : still;
  }
  __attribute__((always_inline)) Lane<T> tail(int64_t i, int64_t count) const {
    if (!moves) return still;
    T in[kLanes] = {};
    for (int64_t j = 0; j < count; ++j) in[j] = p[i + j];
    return load<Lane<T>>(in);
  }
};

template <class A, class B, class Y, class Function>
NIBBLE_INLINE void binary(const Source<A>& a, const Source<B>& b, void* out, int64_t n,
                          Function f) {
  Y* y = static_cast<Y*>(out);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, f(a.at(i), b.at(i)));
  if (i == n) return;
  Y last[kLanes];
  store(last, f(a.tail(i, n - i), b.tail(i, n - i)));
  for (int64_t j = i; j < n; ++j) y[j] = last[j - i];
}

template <class A, class B, class Y>
static void add(const void* left, int64_t a_step, const void* right, int64_t b_step, void* out,
                int64_t n, const CodeFactors& f, CodeRange r) {
  const ToInt<A> from_a(f.zero_a);
  const ToInt<B> from_b(f.zero_b);
  const ToCode<Y> code(r);
  const F m_a = splat<F>(f.m_a), m_b = splat<F>(f.m_b);
  binary<A, B, Y>(
      Source<A>(left, a_step, n), Source<B>(right, b_step, n), out,
      n, [&](Lane<A> a, Lane<B> b) __attribute__((always_inline)) {
        return code(to_float(from_a(a)) * m_a + to_float(from_b(b)) * m_b);
      });
}

template <class A, class B, class Y>
static void multiply(const void* left, int64_t a_step, const void* right, int64_t b_step, void* out,
                     int64_t n, const CodeFactors& f, CodeRange r) {
  const ToInt<A> from_a(f.zero_a);
  const ToInt<B> from_b(f.zero_b);
  const ToCode<Y> code(r);
  const F m = splat<F>(f.m_a);
  binary<A, B, Y>(
      Source<A>(left, a_step, n), Source<B>(right, b_step, n), out,
      n, [&](Lane<A> a, Lane<B> b) __attribute__((always_inline)) {
        return code(to_float(from_a(a) * from_b(b)) * m);
      });
}

const CodeKernels kCodeKernels = NIBBLE_CODE_KERNELS(NIBBLE_ISA_NAME("codes"));

}  // namespace nibble::kernels::NIBBLE_ISA_NAMESPACE
