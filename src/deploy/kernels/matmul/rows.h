#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace nibble::kernels {

/// Where the rows of an implicit left operand lie, in elements from the start of a tensor: row
/// (b, y0, y1, y2) of an image [batch, size0, size1, size2, pixel] begins at its pixel
/// (b, y0 step0, y1 step1, y2 step2), and its k-th values are `length` consecutive elements at each
/// of the `segment` offsets.
struct RowPlan {
  int64_t batch = 1;
  std::array<int64_t, 3> rows{1, 1, 1};  // rows along each axis
  std::array<int64_t, 3> size{1, 1, 1};
  std::array<int64_t, 3> step{1, 1, 1};
  int64_t pixel = 0;
  std::vector<int64_t> segment{0};
  int64_t length = 0;

  /// An ordinary matrix of m rows of k elements, `stride` elements apart.
  static RowPlan matrix(int64_t m, int64_t k, int64_t stride);

  int64_t count() const { return batch * rows[0] * rows[1] * rows[2]; }
  int64_t k() const { return static_cast<int64_t>(segment.size()) * length; }

  /// The codes of the row that begins at `row` one after the other: k(), then zeros up to `padded`.
  void copy_row(const int8_t* row, int64_t padded, int8_t* to) const;
  /// Offsets of the rows [begin, begin + count).
  void offsets(int64_t begin, int64_t count, int64_t* out) const;

  /// The same as pointers.
  template <class T>
  void pointers(const T* base, int64_t begin, int64_t count, const T** out) const {
    int64_t offset[kMaxRows];
    offsets(begin, count, offset);
    for (int64_t i = 0; i < count; ++i) out[i] = base + offset[i];
  }

  /// The most rows pointers() takes at once.
  static constexpr int64_t kMaxRows = 192;
};

/// How a product of m rows and `panels` panels is cut into tasks: blocks of rows times blocks of
/// panels.
struct Tasks {
  int64_t row_block, row_blocks;
  int64_t panel_block, panel_blocks;
  int64_t count() const { return row_blocks * panel_blocks; }
};

/// Row blocks hold at most RowPlan::kMaxRows rows and about 128 KiB of A (`row_bytes` each), in
/// whole tiles of `tile` rows; panels are cut (in multiples of `panel_tile`) only where the row
/// blocks alone do not occupy `threads`.
Tasks cut_tasks(int64_t m, int64_t panels, int64_t row_bytes, int64_t tile, int64_t panel_tile,
                int threads);

}  // namespace nibble::kernels
