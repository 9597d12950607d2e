// Element-wise kernels of every element type: plain loops over rows.
//
//   binary:  y[i] = f(a[i a_step], b[i b_step])       steps 0 or 1; y may be a or b where its step
//   is 1 unary:   y[i] = f(x[i])                           x == y allowed
//
// Integers wrap on overflow; division truncates towards zero and gives 0 for a zero divisor, so
// does the remainder. NaN: as IEEE comparisons have it; Min and Max hand it on.
#pragma once

#include <cstdint>

#include "deploy/base/dtype.h"

namespace nibble::kernels {

/// Mod: the sign of b (floored). Remainder: the sign of a (C's fmod). PRelu: a < 0 ? a b : a. Pow:
/// integers only, by squaring; a negative exponent gives the truncated quotient (0, or +-1 for a =
/// +-1).
enum class TypedBinary {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kRemainder,
  kMin,
  kMax,
  kPRelu,
  kPow,
  kEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAnd,
  kOr,
  kXor
};
using TypedBinaryKernel = void(const void* a, int64_t a_step, const void* b, int64_t b_step,
                               void* y, int64_t n);

/// Null where the function is not defined for operands of `dtype`. Comparisons and And, Or, Xor
/// write bool.
TypedBinaryKernel* typed_binary(TypedBinary f, DType dtype);

enum class TypedUnary { kNeg, kAbs, kSign, kNot, kRelu };
using TypedUnaryKernel = void(const void* x, void* y, int64_t n);
TypedUnaryKernel* typed_unary(TypedUnary f, DType dtype);

/// y[i] = min(max(x[i], *lo), *hi); null bounds do not bound.
using TypedClipKernel = void(const void* x, const void* lo, const void* hi, void* y, int64_t n);
TypedClipKernel* typed_clip(DType dtype);

/// y[i] = condition[i step_c] ? a[i a_step] : b[i b_step], elements of `bytes` bytes (1, 2, 4 or
/// 8).
using SelectKernel = void(const bool* condition, int64_t step_c, const void* a, int64_t a_step,
                          const void* b, int64_t b_step, void* y, int64_t n);
SelectKernel* select_kernel(size_t bytes);

}  // namespace nibble::kernels
