#include "deploy/run/steps/broadcast.h"

namespace nibble::run {

Broadcast::Broadcast(const Shape& output, std::span<const Shape> operands) {
  // Axes from the last to the first; axis 0 of these lists becomes the row.
  int rank = 0;
  std::array<int64_t, kMaxRank> dims{};
  std::array<Offsets, kMaxRank> strides{};
  Offsets dense{};  // stride of the next axis of each operand
  dense.fill(1);
  for (int axis = output.rank() - 1; axis >= 0; --axis) {
    const int64_t dim = output[axis];
    Offsets stride{};
    for (size_t k = 0; k < operands.size(); ++k) {
      const int own = axis - (output.rank() - operands[k].rank());
      const int64_t length = own < 0 ? 1 : operands[k][own];
      stride[k] = length == 1 ? 0 : dense[k];
      dense[k] *= length;
    }
    if (dim == 1) continue;
    bool merges = rank > 0;
    for (size_t k = 0; merges && k < operands.size(); ++k)
      merges = stride[k] ==
               strides[static_cast<size_t>(rank - 1)][k] * dims[static_cast<size_t>(rank - 1)];
    if (merges) {
      dims[static_cast<size_t>(rank - 1)] *= dim;
    } else {
      dims[static_cast<size_t>(rank)] = dim;
      strides[static_cast<size_t>(rank++)] = stride;
    }
  }
  if (rank == 0) return;
  length_ = dims[0];
  steps_ = strides[0];
  rank_ = rank - 1;
  for (int i = 0; i < rank_; ++i) {
    dims_[static_cast<size_t>(i)] = dims[static_cast<size_t>(i + 1)];
    strides_[static_cast<size_t>(i)] = strides[static_cast<size_t>(i + 1)];
    rows_ *= dims_[static_cast<size_t>(i)];
  }
}

Broadcast::Offsets Broadcast::row_offsets(int64_t row) const {
  Offsets offsets{};
  for (size_t i = 0; i < static_cast<size_t>(rank_); ++i) {
    const int64_t index = row % dims_[i];
    row /= dims_[i];
    for (size_t k = 0; k < kOperands; ++k) offsets[k] += index * strides_[i][k];
  }
  return offsets;
}

}  // namespace nibble::run
