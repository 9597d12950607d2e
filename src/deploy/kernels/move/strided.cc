#include <algorithm>
#include <array>
#include <cstring>

#include "deploy/kernels/move/move.h"
#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels {
namespace {

// Rows of a transposed block: 64 rows of 4-byte elements are 4 cache lines a column.
constexpr int64_t kBlock = 64;
constexpr size_t kMaxAxes = 16;

template <class T>
void copy_elements(const T* src, int64_t stride, T* dst, int64_t n) {
  for (int64_t i = 0; i < n; ++i) dst[i] = src[i * stride];
}

/// transpose_block of few columns (of an image, say).
template <int kColumns, class T>
void interleave(const T* __restrict src, int64_t stride, T* __restrict dst, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i) {
    NIBBLE_UNROLL for (int j = 0; j < kColumns; ++j) dst[kColumns * i + j] = src[i + j * stride];
  }
}

/// dst[i][j] = src[i + j * stride] for rows i in [0, rows), j in [0, columns); dst pitch = columns.
template <class T>
void transpose_block(const T* src, int64_t stride, T* dst, int64_t rows, int64_t columns) {
  if (columns == 2) return interleave<2>(src, stride, dst, rows);
  if (columns == 3) return interleave<3>(src, stride, dst, rows);
  if (columns == 4) return interleave<4>(src, stride, dst, rows);
  constexpr int64_t kTile = 8;
  for (int64_t j0 = 0; j0 < columns; j0 += kTile) {
    const int64_t j1 = std::min(columns, j0 + kTile);
    for (int64_t i0 = 0; i0 < rows; i0 += kTile) {
      const int64_t i1 = std::min(rows, i0 + kTile);
      for (int64_t i = i0; i < i1; ++i)
        for (int64_t j = j0; j < j1; ++j) dst[i * columns + j] = src[i + j * stride];
    }
  }
}

/// The last axes, on elements of type T.
template <class T>
void copy_units(const StridedCopy& plan, const void* src_bytes, void* dst_bytes, int64_t begin,
                int64_t end) {
  const T* src = static_cast<const T*>(src_bytes) + plan.offset;
  T* dst = static_cast<T*>(dst_bytes);
  const size_t inner = plan.inner == StridedCopy::Inner::kTranspose ? 2 : 1;
  const size_t outer = plan.axes.size() - inner;
  const auto last = plan.axes.back();
  const auto rows = plan.axes[outer];
  const int64_t blocks = inner == 2 ? (rows.length + kBlock - 1) / kBlock : 1;

  // Coordinates of unit `begin`, then counted up.
  std::array<int64_t, kMaxAxes> at{};
  int64_t block = begin % blocks, rest = begin / blocks, from = 0;
  for (size_t axis = outer; axis-- > 0;) {
    at[axis] = rest % plan.axes[axis].length;
    rest /= plan.axes[axis].length;
    from += at[axis] * plan.axes[axis].stride;
  }
  const int64_t area = inner == 2 ? rows.length * last.length : last.length;
  for (int64_t unit = begin; unit < end; ++unit) {
    T* to = dst + unit / blocks * area;
    if (plan.inner == StridedCopy::Inner::kTranspose) {
      const int64_t row = block * kBlock;
      transpose_block(src + from + row, last.stride, to + row * last.length,
                      std::min(kBlock, rows.length - row), last.length);
    } else if (plan.inner == StridedCopy::Inner::kRun) {
      std::memcpy(to, src + from, static_cast<size_t>(last.length) * sizeof(T));
    } else {
      copy_elements(src + from, last.stride, to, last.length);
    }
    if (++block < blocks) continue;
    block = 0;
    for (size_t axis = outer; axis-- > 0;) {
      from += plan.axes[axis].stride;
      if (++at[axis] < plan.axes[axis].length) break;
      from -= at[axis] * plan.axes[axis].stride;
      at[axis] = 0;
    }
  }
}

}  // namespace

StridedCopy plan_strided_copy(std::span<const StridedCopy::Axis> axes, int64_t offset,
                              size_t element_size) {
  StridedCopy plan;
  plan.element_size = element_size;
  plan.offset = offset;
  int64_t elements = 1;
  for (const StridedCopy::Axis& axis : axes) {
    elements *= axis.length;
    if (axis.length == 1) continue;
    // Two axes that src walks at one pace are one.
    if (!plan.axes.empty() && plan.axes.back().stride == axis.stride * axis.length)
      plan.axes.back() = {plan.axes.back().length * axis.length, axis.stride};
    else
      plan.axes.push_back(axis);
  }
  if (plan.axes.empty()) plan.axes.push_back({1, 1});
  if (elements == 0) return plan;
  const size_t n = plan.axes.size();
  if (plan.axes[n - 1].stride == 1)
    plan.inner = StridedCopy::Inner::kRun;
  else if (n > 1 && plan.axes[n - 2].stride == 1)
    plan.inner = StridedCopy::Inner::kTranspose;
  int64_t unit = plan.axes[n - 1].length;
  plan.units = elements / unit;
  if (plan.inner == StridedCopy::Inner::kTranspose) {
    const int64_t rows = plan.axes[n - 2].length;
    plan.units = plan.units / rows * ((rows + kBlock - 1) / kBlock);
    unit *= std::min(rows, kBlock);
  }
  plan.unit_bytes = unit * static_cast<int64_t>(element_size);
  return plan;
}

void strided_copy(const StridedCopy& plan, const void* src, void* dst, int64_t begin, int64_t end) {
  switch (plan.element_size) {
    case 1:
      return copy_units<uint8_t>(plan, src, dst, begin, end);
    case 2:
      return copy_units<uint16_t>(plan, src, dst, begin, end);
    case 4:
      return copy_units<uint32_t>(plan, src, dst, begin, end);
    case 8:
      return copy_units<uint64_t>(plan, src, dst, begin, end);
  }
}

void copy_rows(void* dst, size_t dst_pitch, const void* src, size_t src_pitch, int64_t rows,
               size_t row_bytes) {
  if (row_bytes == 0) return;
  auto* to = static_cast<std::byte*>(dst);
  const auto* from = static_cast<const std::byte*>(src);
  for (int64_t row = 0; row < rows; ++row, to += dst_pitch, from += src_pitch)
    std::memcpy(to, from, row_bytes);
}

}  // namespace nibble::kernels
