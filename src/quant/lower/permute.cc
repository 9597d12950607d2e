#include <algorithm>
#include <cstring>
#include <numeric>

#include "quant/lower/layout.h"

namespace nibble::lower {

Axes logical(int rank) {
  Axes axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

Axes last(int rank) {
  Axes axes = logical(rank);
  std::rotate(axes.begin() + 1, axes.begin() + 2, axes.end());
  return axes;
}

int place_of(const Axes& axes, int axis) {
  return static_cast<int>(std::find(axes.begin(), axes.end(), axis) - axes.begin());
}

Shape permute(const Shape& shape, const Axes& axes) {
  Shape result;
  for (int axis : axes) result.push_back(shape[axis]);
  return result;
}

Tensor permute(const Tensor& tensor, const Axes& axes) {
  const int rank = tensor.shape().rank();
  Tensor result(tensor.dtype(), permute(tensor.shape(), axes));
  if (result.bytes() == 0) return result;
  const size_t element = size_of(tensor.dtype());
  // Byte stride in the source of a step along each axis of the result.
  std::vector<size_t> step(static_cast<size_t>(rank));
  for (int j = 0; j < rank; ++j)
    step[j] = element * static_cast<size_t>(tensor.shape().size(axes[j] + 1, rank));
  std::vector<int64_t> index(static_cast<size_t>(rank), 0);
  const std::byte* from = tensor.data();
  std::byte* to = result.data();
  for (int64_t i = 0, n = result.size(); i < n; ++i, to += element) {
    std::memcpy(to, from, element);
    for (int j = rank; j-- > 0;) {
      from += step[j];
      if (++index[j] < result.shape()[j]) break;
      from -= step[j] * static_cast<size_t>(index[j]);
      index[j] = 0;
    }
  }
  return result;
}

numeric::QuantParams permute(numeric::QuantParams params, const Axes& axes) {
  if (params.granularity == numeric::Granularity::kTensor) return params;
  params.axis = place_of(axes, params.axis);
  if (params.granularity == numeric::Granularity::kBlock)
    params.block_axis = place_of(axes, params.block_axis);
  return params;
}

}  // namespace nibble::lower
