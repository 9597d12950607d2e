#pragma once

#include <cstdint>
#include <vector>

#include "deploy/base/tensor.h"
#include "quant/graph/graph.h"

namespace nibble::lower {

/// How the integer graph holds an activation (docs/numerics.md, "Containers"): i8 to 8 bits, else
/// i16; unsigned codes that fill the container are shifted by half its range, zero point included.
struct Stored {
  DType dtype;
  numeric::QuantParams params;  // shifted
};
Stored stored(const numeric::QuantParams& params);

/// The codes of a quantised constant: q = nearest code, as int32, in the tensor's order.
std::vector<int32_t> codes_of(const graph::Graph& graph, graph::ValueId id);
/// Codes in a container.
Tensor pack_codes(const std::vector<int32_t>& codes, DType dtype, const Shape& shape);

/// Scales and zero points as QuantizeLinear and DequantizeLinear take them for a tensor of `shape`:
/// scalars, one entry an index of the axis (a group's scale is repeated), or, with block scales,
/// the tensor's shape with its block axis counted in blocks.
struct ScaleTensors {
  Tensor scale, zero;
};
ScaleTensors scale_tensors(const numeric::QuantParams& params, DType dtype, const Shape& shape);

/// Bounds of an output's codes: its grid and the node's clip_min, clip_max.
struct CodeBounds {
  int32_t lo, hi;
};
CodeBounds code_bounds(const model::Attributes& attributes, const numeric::QuantParams& grid);

}  // namespace nibble::lower
