// exp, log, erfc, tanh, sin, cos, pow on vectors of binary64, for results in binary32. Only +, -,
// *, / and bit operations, no fused multiply-add: the same bits on every machine. Errors stay below
// 2^-33 relative, so a result rounded once to binary32 is within 0.51 ulp (math.test.cc). Include
// simd/lanes.h's macros first.
#pragma once

#include "deploy/kernels/simd/lanes.h"

namespace nibble::kernels::NIBBLE_ISA_NAMESPACE {

using D = Vec<double>;
using DI = Vec<int64_t>;
using DU = Vec<uint64_t>;  // bits: their sums and shifts may wrap

/// Adding and subtracting it rounds |x| < 2^51 to the nearest integer, ties to even; its low bits
/// then hold the integer.
inline constexpr double kShift = 0x1.8p52;
inline constexpr double kInf = __builtin_inf();

NIBBLE_INLINE D absolute(D x) {
  return (D)((DI)x & INT64_MAX);
}
NIBBLE_INLINE D with_sign_of(D magnitude, D sign) {
  return (D)((DI)magnitude | ((DI)sign & INT64_MIN));
}
NIBBLE_INLINE D round_even(D x) {
  return (x + kShift) - kShift;
}

/// c[0] + c[1] x + ... by Horner's rule.
template <int kTerms>
NIBBLE_INLINE D polynomial(D x, const double (&c)[kTerms]) {
  D y = splat<D>(c[kTerms - 1]);
  for (int i = kTerms - 2; i >= 0; --i) y = y * x + c[i];
  return y;
}

/// e^x, x clamped to +-700 (beyond binary32 on both sides). x = n ln2 + r, |r| <= ln2/2; 1 + r p(r)
/// with p fitted to (e^r - 1)/r (least squares of the relative error of e^r on 400 Chebyshev nodes;
/// at most 2^-34 off).
NIBBLE_INLINE D exp(D x) {
  constexpr double kLog2E = 0x1.71547652b82fep+0;
  constexpr double kLn2Hi = 0x1.62e42fefa3800p-1, kLn2Lo = 0x1.ef35793c76730p-45;
  constexpr double kFit[] = {1.0,
                             0x1.0000000166592p+0,
                             0x1.0000004320877p-1,
                             0x1.5555528164484p-3,
                             0x1.55548077072aap-5,
                             0x1.1113c74a38ecdp-7,
                             0x1.6d963af5dbb30p-10,
                             0x1.9dc1625e9bd87p-13};
  x = x < -700.0 ? splat<D>(-700.0) : x;
  x = x > 700.0 ? splat<D>(700.0) : x;
  const D shifted = x * kLog2E + kShift;
  const D n = shifted - kShift;
  const D r = (x - n * kLn2Hi) - n * kLn2Lo;
  const D power = (D)(((DU)shifted + 1023) << 52);
  return polynomial(r, kFit) * power;
}

/// e^x - 1 without cancellation.
NIBBLE_INLINE D exp_minus_1(D x) {
  constexpr double kTaylor[] = {1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040};
  return absolute(x) < 0.125 ? x * polynomial(x, kTaylor) : exp(x) - 1.0;
}

/// ln x; x is no subnormal binary64. x = 2^e m, m in [sqrt(1/2), sqrt 2), ln m = 2
/// atanh((m-1)/(m+1)).
NIBBLE_INLINE D log(D x) {
  constexpr double kLn2Hi = 0x1.62e42fefa3800p-1, kLn2Lo = 0x1.ef35793c76730p-45;
  constexpr uint64_t kSqrtHalf = 0x3fe6a09e667f3bcd, kOne = 0x3ff0000000000000;
  constexpr double kAtanh[] = {2.0,      2.0 / 3,  2.0 / 5,  2.0 / 7, 2.0 / 9,
                               2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17};
  const DU u = (DU)x + (kOne - kSqrtHalf);
  const DU exponent = (u >> 52) & 0x7ff;
  const D e = (D)(exponent | 0x4330000000000000) - (0x1p52 + 1023.0);
  const D m = (D)((u & 0x000fffffffffffff) + kSqrtHalf);
  const D s = (m - 1.0) / (m + 1.0);
  D y = e * kLn2Hi + (e * kLn2Lo + s * polynomial(s * s, kAtanh));
  y = x == kInf ? x : y;
  y = x == 0.0 ? splat<D>(-kInf) : y;
  y = x < 0.0 ? splat<D>(__builtin_nan("")) : y;
  return x == x ? y : x;
}

/// ln(1 + x) for x in [0, 1].
NIBBLE_INLINE D log_1_plus(D x) {
  constexpr double kTaylor[] = {1.0, -1.0 / 2, 1.0 / 3, -1.0 / 4};
  return x < 0x1p-9 ? x * polynomial(x, kTaylor) : log(1.0 + x);
}

/// erfc(x) for x >= 1/2: e^(-x^2) times a polynomial in (x-3)/(x+3), fitted to erfc(x) e^(x^2) on
/// [0.5, 10.75] (least squares of the relative error on 400 Chebyshev nodes; at most 2^-37 off).
/// Beyond, e^(-x^2) has left binary32.
NIBBLE_INLINE D erfc_above_half(D x) {
  constexpr double kFit[] = {0x1.6e9827d2297d7p-3,  -0x1.4e102b9d3f056p-2, 0x1.f6ff2041fb4d6p-3,
                             -0x1.336ffbc7fa53fp-3, 0x1.258b135612d4cp-4,  -0x1.8fa5a7c043379p-6,
                             0x1.17c881a0ca06bp-8,  0x1.732c6cabe5cb0p-11, -0x1.3911eb87a001bp-11,
                             0x1.7391103446e16p-15, 0x1.0c9e162f35252p-14, -0x1.65aa699a2342cp-17,
                             -0x1.e724c12c37c6cp-18};
  const D near = x > 10.75 ? splat<D>(10.75) : x;
  return exp(-(x * x)) * polynomial((near - 3.0) / (near + 3.0), kFit);
}

/// erf(x) for |x| <= 1/2: Maclaurin series 2/sqrt(pi) sum (-1)^n x^(2n+1) / (n! (2n+1)), to n = 9.
NIBBLE_INLINE D erf_below_half(D x) {
  constexpr double k = 0x1.20dd750429b6dp+0;  // 2/sqrt(pi)
  constexpr double kSeries[] = {k,         -k / 3,   k / 10,     -k / 42,    k / 216,
                                -k / 1320, k / 9360, -k / 75600, k / 685440, -k / 6894720};
  return x * polynomial(x * x, kSeries);
}

NIBBLE_INLINE D erf(D x) {
  const D a = absolute(x);
  return a < 0.5 ? erf_below_half(x) : with_sign_of(1.0 - erfc_above_half(a), x);
}

/// P(N(0,1) <= x) = erfc(-x / sqrt 2) / 2, without cancellation for negative x.
NIBBLE_INLINE D normal_cdf(D x) {
  const D z = x * 0x1.6a09e667f3bcdp-1;
  const D a = absolute(z);
  const D tail = 0.5 * erfc_above_half(a);
  const D far = z < 0.0 ? tail : 1.0 - tail;
  return a < 0.5 ? 0.5 + 0.5 * erf_below_half(z) : far;
}

NIBBLE_INLINE D sigmoid(D x) {
  return 1.0 / (1.0 + exp(-x));
}

/// x times a factor in [0, 1] that falls faster than |x| grows: -0 at -infinity.
NIBBLE_INLINE D gated(D x, D gate) {
  return (x == -kInf ? splat<D>(-1.0) : x) * gate;
}

/// t / (t + 2), t = e^2x - 1.
NIBBLE_INLINE D tanh(D x) {
  const D t = exp_minus_1(2.0 * absolute(x));
  return with_sign_of(t / (t + 2.0), x);
}

/// sin(x + quarter pi/2) for |x| <= kMaxTrigonometric: Cody and Waite's reduction with pi/2 in 25 +
/// 53 bits (n pi/2's first part is exact), then Taylor on [-pi/4, pi/4]. Larger arguments:
/// trigonometric.h.
inline constexpr float kMaxTrigonometric = 0x1.8p+28f;
NIBBLE_INLINE D sine_of_quarter(D r, DI quarter) {
  constexpr double kSin[] = {1.0, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800};
  constexpr double kCos[] = {1.0,         -1.0 / 2,       1.0 / 24,       -1.0 / 720,
                             1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600};
  const D square = r * r;
  const D sine = r * polynomial(square, kSin), cosine = polynomial(square, kCos);
  const D y = (quarter & 1) != 0 ? cosine : sine;
  return (D)((DU)y ^ (((DU)quarter & 2) << 62));
}
NIBBLE_INLINE D sine(D x, int64_t quarter) {
  const D shifted = x * 0x1.45f306dc9c883p-1 + kShift;
  const D n = shifted - kShift;
  const D r = (x - n * 0x1.921fb5p+0) - n * 0x1.110b4611a6263p-26;
  return sine_of_quarter(r, (DI)((DU)shifted + (uint64_t)quarter));
}

/// x^y = e^(y ln|x|), with the special values of C's pow.
NIBBLE_INLINE D pow(D x, D y) {
  const D l = log(absolute(x));
  D p = exp(y * l);
  p = ((l == 0.0) & (y == y)) ? splat<D>(1.0) : p;
  const DI whole = round_even(y) == y;
  const D half = y * 0.5;
  const DI odd = whole & (round_even(half) != half);
  p = (D)((DI)p ^ ((DI)x & odd & INT64_MIN));
  const DI undefined = (x < 0.0) & (x != -kInf) & ~whole & (y == y);
  p = undefined ? splat<D>(__builtin_nan("")) : p;
  const DI one = (y == 0.0) | (x == 1.0);
  return one ? splat<D>(1.0) : p;
}

}  // namespace nibble::kernels::NIBBLE_ISA_NAMESPACE
