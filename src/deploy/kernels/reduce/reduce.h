// Reductions in ascending order, of every element type.
//
//   fold:        y[i] = f(... f(f(y[i], x[i]), x[stride + i]) ..., x[(count-1) stride + i])       i
//   < width arg_extreme: y[i] = the index k of the largest (smallest) of x[k stride + i], k <
//   count; NaN counts as the extreme
//
// Sums and products of integers wrap. binary32 sums are plain binary32 additions in that order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "deploy/base/dtype.h"

namespace nibble::kernels {

enum class Fold { kSum, kProduct, kMax, kMin };

using FoldKernel = void(const void* x, int64_t count, int64_t stride, int64_t width, void* y);
/// Null where the fold is not defined (16-bit floats; sums and products of bool).
FoldKernel* fold_kernel(Fold f, DType dtype);

/// y[i] = what f leaves unchanged: 0, 1, the lowest or the highest value (infinities for reals).
void fill_identity(Fold f, DType dtype, int64_t n, void* y);

/// y[r] = the sum of x[r stride + i], i < n ascending, in binary32 (rows side by side: a single
/// chain of additions waits for each of them).
void row_sums(const float* x, int64_t rows, int64_t stride, int64_t n, float* y);

using ArgKernel = void(const void* x, int64_t count, int64_t stride, int64_t width,
                       bool last_of_equals, int64_t* y);
ArgKernel* arg_max_kernel(DType dtype);
ArgKernel* arg_min_kernel(DType dtype);

}  // namespace nibble::kernels
