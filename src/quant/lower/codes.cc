#include "quant/lower/codes.h"

#include <algorithm>

#include "deploy/numeric/grid.h"
#include "deploy/numeric/quantize.h"
#include "deploy/numeric/scale_index.h"
#include "quant/graph/error.h"

namespace nibble::lower {

using graph::Attr;
using numeric::QuantParams;

Stored stored(const QuantParams& params) {
  Stored result{params.bits <= 8 ? DType::kI8 : DType::kI16, params};
  QuantParams& p = result.params;
  const bool fills = params.bits == 8 || params.bits == 16;
  if (p.qmin != 0 || !fills) return result;
  const int32_t half = int32_t{1} << (params.bits - 1);
  p.qmin -= half;
  p.qmax -= half;
  p.zero_points.resize(p.scales.size(), 0);
  for (int32_t& z : p.zero_points) z -= half;
  return result;
}

std::vector<int32_t> codes_of(const graph::Graph& graph, graph::ValueId id) {
  const graph::Value& value = graph.value(id);
  std::vector<int32_t> codes(static_cast<size_t>(value.constant->size()));
  const TensorView out{DType::kI32, value.shape, codes.data()};
  const auto done = numeric::quantize(value.constant->view(), value.quant->params, out);
  throw_if_error(done.status(), ErrorKind::kInternal, graph.source, value.name);
  return codes;
}

Tensor pack_codes(const std::vector<int32_t>& codes, DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape);
  visit_dtype(dtype, [&]<class T>(std::type_identity<T>) {
    std::transform(codes.begin(), codes.end(), tensor.span<T>().begin(),
                   [](int32_t q) { return static_cast<T>(q); });
  });
  return tensor;
}

ScaleTensors scale_tensors(const QuantParams& params, DType dtype, const Shape& shape) {
  Shape dims;
  switch (params.granularity) {
    case numeric::Granularity::kTensor:
      break;
    case numeric::Granularity::kChannel:
    case numeric::Granularity::kGroup:
      dims.push_back(shape[params.axis]);
      break;
    case numeric::Granularity::kBlock:
      dims = shape;
      dims[params.block_axis] = (shape[params.block_axis] + params.group - 1) / params.group;
      break;
  }
  // Which scale serves entry i: the grid of the entries, with every block or group one entry long.
  QuantParams grid = params;
  if (params.granularity == numeric::Granularity::kBlock) grid.group = 1;
  if (params.granularity == numeric::Granularity::kGroup) grid.axis = 0;
  if (params.granularity == numeric::Granularity::kChannel) grid.axis = 0;
  const numeric::ScaleIndex index(grid, dims);
  std::vector<int32_t> zeros;
  ScaleTensors result{Tensor(DType::kF32, dims), {}};
  for (int64_t i = 0; i < dims.size(); ++i) {
    result.scale.span<float>()[i] = params.scales[index[i]];
    zeros.push_back(params.zero_point(index[i]));
  }
  result.zero = pack_codes(zeros, dtype, dims);
  return result;
}

CodeBounds code_bounds(const model::Attributes& attributes, const QuantParams& grid) {
  CodeBounds bounds{grid.qmin, grid.qmax};
  const auto code = [&](Attr key) {
    return numeric::quantize_one(attributes.get_float(key, 0), grid);
  };
  if (attributes.has(Attr::clip_min)) bounds.lo = code(Attr::clip_min);
  if (attributes.has(Attr::clip_max)) bounds.hi = code(Attr::clip_max);
  bounds.lo = std::min(bounds.lo, bounds.hi);  // as min(max(y, lo), hi)
  return bounds;
}

}  // namespace nibble::lower
