// Kernels on rows of codes: reals to codes and back, codes from one grid to another, sums and
// products of codes (docs/numerics.md).
//
//   quantize:    y[i] = clamp(rne(x[i] / scale) + zero, lo, hi)             NaN gives clamp(zero)
//   dequantize:  y[i] = float(q[i] - zero) scale
//   requantize:  y[i] = clamp(rne(float(q[i] - zero_a) m_a) + zero, lo, hi)
//   add:         y[i] = clamp(rne(float(a - zero_a) m_a + float(b - zero_b) m_b) + zero, lo, hi)
//   multiply:    y[i] = clamp(rne(float((a - zero_a) (b - zero_b)) m_a) + zero, lo, hi)
//
// each operation rounded to binary32. In `add` and `multiply` a = a[i a_step], b = b[i b_step],
// steps 0 or 1. Any n >= 0, no alignment; y may be an operand of the same container. Containers
// hold lo..hi and every zero point; multipliers and scales are finite, multipliers not negative;
// |(a - zero_a) (b - zero_b)| < 2^31. Every ISA gives the same bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "deploy/base/dtype.h"
#include "deploy/kernels/requantise/code_map.h"
#include "deploy/kernels/simd/select.h"

namespace nibble::kernels {

/// Where a result lands: zero point and bounds, in codes as stored.
struct CodeRange {
  int32_t zero = 0, lo = 0, hi = 0;
};

/// The operands' zero points and requantisation factors: variant float (m_a, m_b) or fixed
/// (fixed_a, fixed_b, shift; numeric::FixedSum).
struct CodeFactors {
  int32_t zero_a = 0, zero_b = 0;
  float m_a = 0, m_b = 0;
  int32_t fixed_a = 0, fixed_b = 0;
  int shift = 31;  // 1..62
};

using QuantizeKernel = void(const float* x, void* y, int64_t n, float scale, CodeRange range);
using DequantizeKernel = void(const void* q, float* y, int64_t n, float scale, int32_t zero);
using RequantizeKernel = void(const void* q, void* y, int64_t n, const CodeFactors& factors,
                              CodeRange range);
using CodeBinaryKernel = void(const void* a, int64_t a_step, const void* b, int64_t b_step, void* y,
                              int64_t n, const CodeFactors& factors, CodeRange range);

/// Indices of the tables: containers of reals' codes, and of codes between integer kernels.
enum WideContainer { kWideI8, kWideU8, kWideI16, kWideU16, kWideContainers };
enum Container { kI8Codes, kI16Codes, kContainers };

struct CodeKernels {
  std::string_view name;
  QuantizeKernel* quantize[kWideContainers];
  DequantizeKernel* dequantize[kWideContainers];
  RequantizeKernel* requantize[kContainers][kContainers];             // [q][y]
  CodeBinaryKernel* add[kContainers][kContainers][kContainers];       // [a][b][y]
  CodeBinaryKernel* multiply[kContainers][kContainers][kContainers];  // [a][b][y]
  MapCodesKernel* map;                                                // of one byte
};

/// Variant float: the best table at or below the ceiling `isa`.
const CodeKernels& code_kernels(Isa isa);

/// Variant fixed: requantize, add and multiply in int64, the same on every ISA; its quantize and
/// dequantize are the portable ones.
///   requantize, multiply:  clamp(((v fixed_a + 2^(shift-1)) >> shift) + zero, lo, hi)
///   add:  clamp((((a - zero_a) fixed_a + (b - zero_b) fixed_b + 2^(shift-1)) >> shift) + zero,
///   ...)
const CodeKernels& fixed_code_kernels();

/// Index of a container, or -1 where `dtype` is none.
int wide_container(DType dtype);
int container(DType dtype);

/// Element i of an array of codes (i8, u8, i16, u16, i32); 0 where there is no array.
int32_t code_at(DType dtype, const void* codes, int64_t i);

/// Rows with a scale and a zero point of their own for every element (the last axis). `zero` may be
/// null (all zero).
void quantize_columns(const float* x, DType dtype, void* y, int64_t n, const float* scale,
                      const void* zero, int32_t lo, int32_t hi);
/// y[i] = float(q[i] - zero[i step] - offset) scale[i step]; also of i32 codes. Zero points are
/// of the codes' type, or i8 with u8 codes (signed codes that were stored with an offset).
void dequantize_columns(DType dtype, const void* q, float* y, int64_t n, const float* scale,
                        int64_t step, DType zero_dtype, const void* zero, int32_t offset);

/// The tables of this build, worst first.
std::span<const Variant<CodeKernels>> code_variants();

#define NIBBLE_VECTOR_ISA(isa, space)    \
  namespace space {                      \
  extern const CodeKernels kCodeKernels; \
  }
#include "deploy/kernels/simd/vector_isas.inc"
#undef NIBBLE_VECTOR_ISA

}  // namespace nibble::kernels
