// The table of FloatKernels of one ISA, from vectors: included once by each ISA file.
#pragma once

#include "deploy/kernels/float/float.h"
#include "deploy/kernels/float/math.h"
#include "deploy/kernels/float/trigonometric.h"

namespace nibble::kernels::NIBBLE_ISA_NAMESPACE {

using F = Vec<float>;
using FI = Vec<int32_t>;
using HalfF = Narrow<float>;

/// Functions computed in binary64 and rounded once.
template <class Function>
NIBBLE_INLINE void map_wide(const float* x, float* y, int64_t n, Function f) {
  map<HalfF>(
      x, y, n, [f](HalfF v) __attribute__((always_inline)) {
        return __builtin_convertvector(f(__builtin_convertvector(v, D)), HalfF);
      });
}

#define NIBBLE_FLOAT(name, expression)                                      \
  static void name(const float* in, float* out, int64_t n, UnaryParams p) { \
    (void)p;                                                                \
    map<F>(                                                                 \
        in, out, n, [p](F x) __attribute__((always_inline)) {               \
          (void)p;                                                          \
          return expression;                                                \
        });                                                                 \
  }
#define NIBBLE_WIDE(name, expression)                                       \
  static void name(const float* in, float* out, int64_t n, UnaryParams p) { \
    (void)p;                                                                \
    map_wide(                                                               \
        in, out, n, [p](D x) __attribute__((always_inline)) {               \
          (void)p;                                                          \
          return expression;                                                \
        });                                                                 \
  }
#define NIBBLE_LANE(name, function)                                       \
  static void name(const float* in, float* out, int64_t n, UnaryParams) { \
    for (int64_t i = 0; i < n; ++i) out[i] = function(in[i]);             \
  }

NIBBLE_INLINE F at_most(F x, float bound) {
  return x > bound ? splat<F>(bound) : x;
}
NIBBLE_INLINE F at_least(F x, float bound) {
  return x < bound ? splat<F>(bound) : x;
}

NIBBLE_FLOAT(Neg, -x)
NIBBLE_FLOAT(Abs, ((F)((FI)x & INT32_MAX)))
NIBBLE_FLOAT(Sign, (x > 0.0f ? splat<F>(1.0f) : (x < 0.0f ? splat<F>(-1.0f) : x)))
NIBBLE_LANE(Floor, __builtin_floorf)
NIBBLE_LANE(Ceil, __builtin_ceilf)
NIBBLE_LANE(Round, __builtin_nearbyintf)
NIBBLE_LANE(Sqrt, __builtin_sqrtf)
NIBBLE_FLOAT(Reciprocal, 1.0f / x)
NIBBLE_WIDE(Exp, exp(x))
NIBBLE_WIDE(Log, log(x))
NIBBLE_WIDE(Erf, erf(x))
NIBBLE_FLOAT(Relu, at_least(x, 0.0f))
NIBBLE_FLOAT(LeakyRelu, (x < 0.0f ? x * p.a : x))
NIBBLE_WIDE(Elu, (x < 0.0 ? double(p.a) * exp_minus_1(x) : x))
NIBBLE_FLOAT(Clip, at_most(at_least(x, p.a), p.b))
NIBBLE_WIDE(Sigmoid, sigmoid(x))
NIBBLE_WIDE(Tanh, tanh(x))
NIBBLE_FLOAT(HardSwish, x* at_most(at_least(x*(1.0f / 6) + 0.5f, 0.0f), 1.0f))
NIBBLE_FLOAT(HardSigmoid, at_most(at_least(x* p.a + p.b, 0.0f), 1.0f))
NIBBLE_WIDE(Gelu, gated(x, normal_cdf(x)))
// (1 + tanh u) / 2 = sigmoid(2 u); the constant is 2 sqrt(2/pi).
NIBBLE_WIDE(GeluTanh, gated(x, sigmoid(0x1.9884533d43651p+0 * (x + 0.044715 * x * x * x))))
NIBBLE_WIDE(Softplus, (x > 0.0 ? x : splat<D>(0.0)) + log_1_plus(exp(-absolute(x))))
NIBBLE_WIDE(Swish, gated(x, sigmoid(double(p.a) * x)))
NIBBLE_FLOAT(Affine, x* p.a + p.b)

/// Arguments beyond Cody and Waite's reduction are rare: they are done again one by one, a block at
/// a time so that x == y may hold.
static void trigonometric(const float* x, float* y, int64_t n, int quarter) {
  constexpr int64_t kBlock = 64;
  float in[kBlock];
  for (int64_t i = 0; i < n; i += kBlock) {
    const int64_t count = n - i < kBlock ? n - i : kBlock;
    __builtin_memcpy(in, x + i, sizeof(float) * static_cast<uint64_t>(count));
    map_wide(
        in, y + i,
        count, [quarter](D v) __attribute__((always_inline)) { return sine(v, quarter); });
    for (int64_t j = 0; j < count; ++j)
      if (!(__builtin_fabsf(in[j]) <= kMaxTrigonometric)) y[i + j] = sine_of_huge(in[j], quarter);
  }
}
static void Sin(const float* in, float* out, int64_t n, UnaryParams) {
  trigonometric(in, out, n, 0);
}
static void Cos(const float* in, float* out, int64_t n, UnaryParams) {
  trigonometric(in, out, n, 1);
}

/// f on whole rows, or on one row and one scalar.
template <class V, class T, class Function>
NIBBLE_INLINE void binary_rows(const void* left, int64_t a_step, const void* right, int64_t b_step,
                               void* out, int64_t n, Function f) {
  const T *a = static_cast<const T*>(left), *b = static_cast<const T*>(right);
  T* y = static_cast<T*>(out);
  if (n == 0) return;
  if (a_step != 0 && b_step != 0) {
    map<V>(a, b, y, n, f);
  } else if (a_step != 0) {
    const V s = splat<V>(*b);
    map<V>(
        a, y, n, [ s, f ](V v) __attribute__((always_inline)) { return f(v, s); });
  } else if (b_step != 0) {
    const V s = splat<V>(*a);
    map<V>(
        b, y, n, [ s, f ](V v) __attribute__((always_inline)) { return f(s, v); });
  } else {
    T one;
    map<V>(a, b, &one, 1, f);
    for (int64_t i = 0; i < n; ++i) y[i] = one;
  }
}

#define NIBBLE_BINARY(name, expression)                                                            \
  static void name(const void* left, int64_t a_step, const void* right, int64_t b_step, void* out, \
                   int64_t n) {                                                                    \
    binary_rows<F, float>(                                                                         \
        left, a_step, right, b_step, out, n,                                                       \
        [](F a, F b) __attribute__((always_inline)) { return expression; });                       \
  }
NIBBLE_BINARY(Add, a + b)
NIBBLE_BINARY(Sub, a - b)
NIBBLE_BINARY(Mul, a* b)
NIBBLE_BINARY(Div, a / b)
NIBBLE_BINARY(Min, (((a < b) | (a != a)) ? a : b))
NIBBLE_BINARY(Max, (((a > b) | (a != a)) ? a : b))
NIBBLE_BINARY(PRelu, (a < 0.0f ? a * b : a))

static void Pow(const void* left, int64_t a_step, const void* right, int64_t b_step, void* out,
                int64_t n) {
  binary_rows<HalfF, float>(
      left, a_step, right, b_step, out, n, [](HalfF a, HalfF b) __attribute__((always_inline)) {
        return __builtin_convertvector(
            pow(__builtin_convertvector(a, D), __builtin_convertvector(b, D)), HalfF);
      });
}

static float maximum(const float* x, int64_t n) {
  constexpr int64_t kLanes = sizeof(F) / sizeof(float);
  const auto larger = [](auto a, auto b) __attribute__((always_inline)) {
    return ((b > a) | (b != b)) ? b : a;
  };
  float most = -__builtin_inff();
  int64_t i = 0;
  if (n >= kLanes) {
    F lanes = load<F>(x);
    for (i = kLanes; i + kLanes <= n; i += kLanes) lanes = larger(lanes, load<F>(x + i));
    for (int64_t k = 0; k < kLanes; ++k) most = larger(most, lanes[k]);
  }
  for (; i < n; ++i) most = larger(most, x[i]);
  return most;
}

#undef NIBBLE_FLOAT
#undef NIBBLE_WIDE
#undef NIBBLE_LANE
#undef NIBBLE_BINARY

const FloatKernels kFloatKernels = {NIBBLE_ISA_NAME("float"),
                                    maximum,
                                    {
#define NIBBLE_UNARY(name, formula) name,
#include "deploy/kernels/float/unary.inc"
#undef NIBBLE_UNARY
                                    },
                                    {Add, Sub, Mul, Div, Min, Max, PRelu, Pow}};

}  // namespace nibble::kernels::NIBBLE_ISA_NAMESPACE
