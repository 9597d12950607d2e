#pragma once

#include "deploy/base/status.h"
#include "deploy/base/tensor.h"
#include "deploy/numeric/quant_params.h"

namespace nibble::numeric {

/// Whole tensors through a grid, at any granularity. All views are dense and of one shape; `params`
/// must fit it (check, done first; also that the container of the codes holds qmin..qmax: i8, u8,
/// i16, u16, i32). Errors are StatusCode::kInvalidArgument.

/// x (f32) -> codes. Gives the number of NaN elements (their code is the zero point).
Result<int64_t> quantize(const TensorView& x, const QuantParams& params, const TensorView& codes);

/// codes -> x (f32).
Status dequantize(const TensorView& codes, const QuantParams& params, const TensorView& x);

/// dequantize(quantize(x)) without storing codes; `out` may be `x`. Gives the number of NaN
/// elements (they become 0).
Result<int64_t> fake_quantize(const TensorView& x, const QuantParams& params,
                              const TensorView& out);

/// True when every code of `params` is a number of type `dtype`.
bool holds_codes(DType dtype, const QuantParams& params);

}  // namespace nibble::numeric
