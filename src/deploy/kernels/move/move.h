#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Movement of elements of 1, 2, 4 or 8 bytes: no arithmetic, so one portable path is bit-exact
/// everywhere. Plans are built while preparing; the copies allocate nothing, and work on ranges of
/// independent units, so that threads may share them.
namespace nibble::kernels {

/// dst[i0, i1, ...] (dense, row-major) = src[offset + i0 stride0 + i1 stride1 + ...], strides in
/// elements: 0 repeats, negative runs backwards. Transpose, Slice, Expand, Tile, DepthToSpace.
struct StridedCopy {
  struct Axis {
    int64_t length;
    int64_t stride;
    friend bool operator==(const Axis&, const Axis&) = default;
  };
  enum class Inner {
    kRun,        // the last axis is contiguous in src: memcpy
    kTranspose,  // the axis before the last is: blocks of rows
    kElements,   // neither
  };

  size_t element_size = 1;
  int64_t offset = 0;
  std::vector<Axis> axes;  // merged: as few as possible
  Inner inner = Inner::kElements;
  int64_t units = 0;       // independent parts of the copy
  int64_t unit_bytes = 0;  // about, to size the parts of threads
};

/// `axes` in the order of dst, any number of them.
StridedCopy plan_strided_copy(std::span<const StridedCopy::Axis> axes, int64_t offset,
                              size_t element_size);
/// Units [begin, end) of the copy.
void strided_copy(const StridedCopy& plan, const void* src, void* dst, int64_t begin, int64_t end);

/// `rows` rows of `row_bytes`, at a distance of `dst_pitch` and `src_pitch` bytes. Concat, Split.
void copy_rows(void* dst, size_t dst_pitch, const void* src, size_t src_pitch, int64_t rows,
               size_t row_bytes);

/// dst[i0, i1, ...] = src[map0[i0], map1[i1], ...], or the fill value where a map says -1. The last
/// axis is cut into runs of consecutive src positions. Pad in all its modes.
struct MappedCopy {
  struct Run {
    int64_t dst, src, length;  // src -1: fill
  };
  size_t element_size = 1;
  std::vector<std::vector<int64_t>> maps;  // of all axes but the last
  std::vector<int64_t> strides;            // of these axes in src, in elements
  std::vector<Run> runs;                   // of the last axis
  int64_t row = 0;                         // length of the last axis in dst
  int64_t units = 0;                       // rows of dst
};

/// One map an axis, of the axis's length in dst; `src_dims` the dimensions of src.
MappedCopy plan_mapped_copy(std::span<const std::vector<int64_t>> maps,
                            std::span<const int64_t> src_dims, size_t element_size);
/// Rows [begin, end) of dst; `fill` points to one element.
void mapped_copy(const MappedCopy& plan, const void* src, const void* fill, void* dst,
                 int64_t begin, int64_t end);

/// `count` elements of `element_size` bytes, each equal to *value.
void fill_elements(void* dst, const void* value, size_t element_size, int64_t count);

}  // namespace nibble::kernels
