// Element-wise kernels on rows of binary32.
//
//   unary:   y[i] = f(x[i]; a, b)                     x == y allowed
//   binary:  y[i] = f(a[i a_step], b[i b_step])       steps 0 or 1; y may be a or b where its step
//   is 1
//
// Any n >= 0, no alignment. Functions of unary.inc are within 0.51 ulp (sums and products of two
// terms, Affine, LeakyRelu and the Hard ones: each operation rounded). Every ISA gives the same
// bytes; NaN stays NaN.
#pragma once

#include <cstdint>
#include <span>

#include "deploy/kernels/simd/select.h"

namespace nibble::kernels {

enum class Unary {
#define NIBBLE_UNARY(name, formula) k##name,
#include "deploy/kernels/float/unary.inc"
#undef NIBBLE_UNARY
};
inline constexpr int kUnaryCount = 0
#define NIBBLE_UNARY(name, formula) +1
#include "deploy/kernels/float/unary.inc"
#undef NIBBLE_UNARY
    ;

struct UnaryParams {
  float a = 0, b = 0;
};
using UnaryKernel = void(const float* x, float* y, int64_t n, UnaryParams params);

/// Min and Max: NaN if either is NaN. PRelu: a < 0 ? b a : a. Pow: as C's pow.
enum class FloatBinary { kAdd, kSub, kMul, kDiv, kMin, kMax, kPRelu, kPow };
inline constexpr int kFloatBinaryCount = 8;
using BinaryKernel = void(const void* a, int64_t a_step, const void* b, int64_t b_step, void* y,
                          int64_t n);

struct FloatKernels {
  const char* name;                             // "float/avx2"
  float (*maximum)(const float* x, int64_t n);  // of a row; -inf for none, NaN if there is one
  UnaryKernel* unary[kUnaryCount];
  BinaryKernel* binary[kFloatBinaryCount];

  UnaryKernel* operator[](Unary f) const { return unary[static_cast<int>(f)]; }
  BinaryKernel* operator[](FloatBinary f) const { return binary[static_cast<int>(f)]; }
};

/// The best table at or below the ceiling `isa`.
const FloatKernels& float_kernels(Isa isa);

/// The tables of this build, worst first.
std::span<const Variant<FloatKernels>> float_variants();

#define NIBBLE_VECTOR_ISA(isa, space)      \
  namespace space {                        \
  extern const FloatKernels kFloatKernels; \
  }
#include "deploy/kernels/simd/vector_isas.inc"
#undef NIBBLE_VECTOR_ISA

}  // namespace nibble::kernels
