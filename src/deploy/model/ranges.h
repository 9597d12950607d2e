#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "deploy/base/shape.h"
#include "deploy/base/status.h"

namespace nibble::model {

/// What a Slice takes of one axis: elements start, start + step, ... `length` of them. All inside
/// the axis. For an unknown dimension start and length are unknown.
struct SliceRange {
  int64_t start = 0;
  int64_t step = 1;
  int64_t length = 0;
};

/// The ranges of all axes of `input`. `axes` may be empty (the first axes), `steps` too (ones).
/// Negative positions count from the end; positions outside are clamped (ONNX Slice).
Result<std::vector<SliceRange>> resolve_slice(const Shape& input, std::span<const int64_t> starts,
                                              std::span<const int64_t> ends,
                                              std::span<const int64_t> axes,
                                              std::span<const int64_t> steps);

/// What a Pad adds before and after one axis; negative: takes away.
struct PadRange {
  int64_t begin = 0;
  int64_t end = 0;
};

/// The pads of all axes. `pads` holds the begins, then the ends, of `axes` (empty: of all axes).
Result<std::vector<PadRange>> resolve_pads(int rank, std::span<const int64_t> pads,
                                           std::span<const int64_t> axes);

}  // namespace nibble::model
