#include "deploy/model/ranges.h"

#include <algorithm>
#include <limits>
#include <string>

#include "deploy/model/infer.h"

namespace nibble::model {
namespace {

// Far beyond any tensor; keeps sums of two in range.
constexpr int64_t kLimit = int64_t{1} << 56;

SliceRange slice_axis(int64_t dim, int64_t start, int64_t end, int64_t step) {
  // Adding dim >= 0 to a negative position cannot overflow.
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  SliceRange range;
  range.step = std::max(step, -std::numeric_limits<int64_t>::max());
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, dim);
    end = std::clamp<int64_t>(end, 0, dim);
    range.length = end > start ? (end - start - 1) / range.step + 1 : 0;
  } else {
    start = std::clamp<int64_t>(start, -1, dim - 1);
    end = std::clamp<int64_t>(end, -1, dim - 1);
    range.length = start > end ? (start - end - 1) / -range.step + 1 : 0;
  }
  range.start = range.length ? start : 0;
  if (range.length <= 1) range.step = 1;
  return range;
}

Result<std::vector<int>> axes_in_order(std::span<const int64_t> axes, size_t count, int rank) {
  std::vector<int> result;
  if (axes.empty()) {
    if (count > static_cast<size_t>(rank))
      return invalid_argument("expects values for at most " + std::to_string(rank) +
                              " axes, found " + std::to_string(count));
    for (size_t i = 0; i < count; ++i) result.push_back(static_cast<int>(i));
    return result;
  }
  if (axes.size() != count)
    return invalid_argument("expects as many axes as values, found " + std::to_string(axes.size()) +
                            " and " + std::to_string(count));
  const Result<std::vector<int>> once = infer::checked_axes(axes, rank);
  if (!once.ok()) return once.status();
  for (int64_t axis : axes) result.push_back(normalize_axis(axis, rank));
  return result;
}

}  // namespace

Result<std::vector<SliceRange>> resolve_slice(const Shape& input, std::span<const int64_t> starts,
                                              std::span<const int64_t> ends,
                                              std::span<const int64_t> axes,
                                              std::span<const int64_t> steps) {
  if (starts.size() != ends.size() || (!steps.empty() && steps.size() != starts.size()))
    return invalid_argument("expects starts, ends and steps of one length, found " +
                            std::to_string(starts.size()) + ", " + std::to_string(ends.size()) +
                            " and " + std::to_string(steps.size()));
  const Result<std::vector<int>> order = axes_in_order(axes, starts.size(), input.rank());
  if (!order.ok()) return order.status();
  std::vector<SliceRange> ranges(static_cast<size_t>(input.rank()));
  for (int i = 0; i < input.rank(); ++i) ranges[static_cast<size_t>(i)].length = input[i];
  for (size_t i = 0; i < starts.size(); ++i) {
    const int axis = order.value()[i];
    const int64_t step = steps.empty() ? 1 : steps[i];
    if (step == 0) return invalid_argument("expects steps that are not 0");
    SliceRange& range = ranges[static_cast<size_t>(axis)];
    if (input[axis] != kUnknownDim) {
      range = slice_axis(input[axis], starts[i], ends[i], step);
    } else if (starts[i] != 0 || step != 1 || ends[i] < std::numeric_limits<int32_t>::max()) {
      range = {kUnknownDim, step, kUnknownDim};
    }
  }
  return ranges;
}

Result<std::vector<PadRange>> resolve_pads(int rank, std::span<const int64_t> pads,
                                           std::span<const int64_t> axes) {
  const size_t count = axes.empty() ? static_cast<size_t>(rank) : axes.size();
  if (pads.size() != 2 * count)
    return invalid_argument("expects " + std::to_string(2 * count) + " pads, found " +
                            std::to_string(pads.size()));
  const Result<std::vector<int>> order = axes_in_order(axes, count, rank);
  if (!order.ok()) return order.status();
  for (int64_t pad : pads)
    if (pad <= -kLimit || pad >= kLimit)
      return invalid_argument("expects pads below 2^56, found " + std::to_string(pad));
  std::vector<PadRange> ranges(static_cast<size_t>(rank));
  for (size_t i = 0; i < count; ++i)
    ranges[static_cast<size_t>(order.value()[i])] = {pads[i], pads[i + count]};
  return ranges;
}

}  // namespace nibble::model
