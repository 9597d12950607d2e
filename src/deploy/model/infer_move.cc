#include <algorithm>

#include "deploy/model/infer.h"
#include "deploy/model/ranges.h"

namespace nibble::model::infer {
namespace {

Status store_unknown(const Node& node, int rank) {
  return store(node, 0, node.dtype(0), Dims(static_cast<size_t>(rank), kUnknownDim));
}

/// The integers of optional input i: empty when absent.
Result<Dims> optional_integers(const Node& node, size_t i) {
  if (!node.has(i)) return Dims{};
  return integers(node, i);
}

}  // namespace

Status concat(const Node& node) {
  const int rank = node.shape(0).rank();
  const Result<int> axis = checked_axis(node.attributes.get_int(Attr::axis, 0), rank);
  if (!axis.ok()) return axis.status();
  Dims dims = dims_of(node.shape(0));
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, i));
    NIBBLE_RETURN_IF_ERROR(expect_rank(node, i, rank, rank));
    for (int d = 0; d < rank; ++d) {
      int64_t& dim = dims[static_cast<size_t>(d)];
      const int64_t other = node.shape(i)[d];
      if (d == axis.value()) {
        if (dim == kUnknownDim || other == kUnknownDim)
          dim = kUnknownDim;
        else if (!add(dim, other, dim))
          return overflow();
      } else if (!agree(dim, other)) {
        return invalid_argument("expects inputs that differ along axis " +
                                std::to_string(axis.value()) + " only, found " +
                                to_string(node.shape(0)) + " and " + to_string(node.shape(i)));
      } else if (dim == kUnknownDim) {
        dim = other;
      }
    }
  }
  return store(node, 0, node.dtype(0), dims);
}

Status split(const Node& node) {
  const Shape& x = node.shape(0);
  const Result<int> axis = checked_axis(node.attributes.get_int(Attr::axis, 0), x.rank());
  if (!axis.ok()) return axis.status();
  const auto count = static_cast<int64_t>(node.outputs.size());
  const int64_t dim = x[axis.value()];
  Dims lengths;
  if (node.has(1)) {
    if (node.has_value(1)) {
      Result<Dims> values = integers(node, 1);
      if (!values.ok()) return values.status();
      lengths = std::move(values).value();
      int64_t sum = 0;
      for (int64_t length : lengths)
        if (length < 0 || !add(sum, length, sum))
          return invalid_argument("expects lengths that are not negative, found " +
                                  std::to_string(length));
      if (static_cast<int64_t>(lengths.size()) != count || !agree(sum, dim))
        return invalid_argument("expects " + std::to_string(count) + " lengths that add up to " +
                                std::to_string(dim) + ", found " + std::to_string(lengths.size()) +
                                " with the sum " + std::to_string(sum));
    } else {
      lengths.assign(static_cast<size_t>(count), kUnknownDim);
    }
  } else {
    const int64_t parts = node.attributes.get_int(Attr::num_outputs, count);
    if (parts != count)
      return invalid_argument("expects " + std::to_string(parts) +
                              " outputs (num_outputs), found " + std::to_string(count));
    if (!node.attributes.has(Attr::num_outputs) && dim != kUnknownDim && dim % count != 0)
      return invalid_argument("expects an axis that divides into " + std::to_string(count) +
                              " equal parts, found " + std::to_string(dim));
    // With num_outputs the last part may be shorter.
    int64_t left = dim;
    const int64_t part = dim / count + (dim % count != 0);
    for (int64_t i = 0; i < count; ++i) {
      lengths.push_back(dim == kUnknownDim ? kUnknownDim : std::min(part, left));
      left -= lengths.back();
    }
  }
  for (size_t i = 0; i < lengths.size(); ++i) {
    Dims dims = dims_of(x);
    dims[static_cast<size_t>(axis.value())] = lengths[i];
    NIBBLE_RETURN_IF_ERROR(store(node, i, node.dtype(0), dims));
  }
  return {};
}

Status slice(const Node& node) {
  const Shape& x = node.shape(0);
  if (!node.has(1) || !node.has(2)) return invalid_argument("expects starts and ends");
  for (size_t i = 1; i < node.inputs.size(); ++i)
    if (node.has(i) && !node.has_value(i)) return store_unknown(node, x.rank());
  const Result<Dims> starts = integers(node, 1), ends = integers(node, 2);
  const Result<Dims> axes = optional_integers(node, 3), steps = optional_integers(node, 4);
  for (const Result<Dims>* list : {&starts, &ends, &axes, &steps})
    if (!list->ok()) return list->status();
  const Result<std::vector<SliceRange>> ranges =
      resolve_slice(x, starts.value(), ends.value(), axes.value(), steps.value());
  if (!ranges.ok()) return ranges.status();
  Dims dims;
  for (const SliceRange& range : ranges.value()) dims.push_back(range.length);
  return store(node, 0, node.dtype(0), dims);
}

Status gather(const Node& node) {
  const Shape& x = node.shape(0);
  if (node.dtype(1) != DType::kI64 && node.dtype(1) != DType::kI32)
    return invalid_argument("expects i64 or i32 indices, found " +
                            std::string(name_of(node.dtype(1))));
  const Result<int> axis = checked_axis(node.attributes.get_int(Attr::axis, 0), x.rank());
  if (!axis.ok()) return axis.status();
  Dims dims = dims_of(x);
  const auto at = dims.begin() + axis.value();
  const Dims indices = dims_of(node.shape(1));
  dims.insert(dims.erase(at), indices.begin(), indices.end());
  return store(node, 0, node.dtype(0), dims);
}

Status transpose(const Node& node) {
  const Shape& x = node.shape(0);
  const auto perm = node.attributes.get_ints(Attr::perm);
  Dims dims;
  if (perm.empty()) {
    for (int i = x.rank() - 1; i >= 0; --i) dims.push_back(x[i]);
    return store(node, 0, node.dtype(0), dims);
  }
  const Result<std::vector<int>> axes = checked_axes(perm, x.rank());
  if (!axes.ok()) return axes.status();
  if (perm.size() != static_cast<size_t>(x.rank()))
    return invalid_argument("expects a perm of " + std::to_string(x.rank()) + " axes, found " +
                            std::to_string(perm.size()));
  for (int64_t axis : perm) dims.push_back(x[normalize_axis(axis, x.rank())]);
  return store(node, 0, node.dtype(0), dims);
}

Status pad(const Node& node) {
  const Shape& x = node.shape(0);
  if (node.has(2)) NIBBLE_RETURN_IF_ERROR(expect_same_dtype(node, 0, 2));
  if (!node.has_value(1) || (node.has(3) && !node.has_value(3)))
    return store_unknown(node, x.rank());
  const Result<Dims> pads = integers(node, 1), axes = optional_integers(node, 3);
  if (!pads.ok()) return pads.status();
  if (!axes.ok()) return axes.status();
  const Result<std::vector<PadRange>> ranges = resolve_pads(x.rank(), pads.value(), axes.value());
  if (!ranges.ok()) return ranges.status();
  Dims dims = dims_of(x);
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == kUnknownDim) continue;
    if (!add(dims[i], ranges.value()[i].begin + ranges.value()[i].end, dims[i])) return overflow();
    if (dims[i] < 0)
      return invalid_argument("expects pads that leave no negative dimension of " + to_string(x));
  }
  return store(node, 0, node.dtype(0), dims);
}

Status expand(const Node& node) {
  const Shape& x = node.shape(0);
  if (!node.has_value(1)) {
    const Result<int64_t> length = length_of(node, 1);
    if (!length.ok()) return length.status();
    if (length.value() == kUnknownDim || length.value() > kMaxRank) return needs_value(1);
    return store_unknown(node, std::max(x.rank(), static_cast<int>(length.value())));
  }
  const Result<Dims> target = integers(node, 1);
  if (!target.ok()) return target.status();
  for (int64_t dim : target.value())
    if (dim < 0)
      return invalid_argument("expects dimensions that are not negative, found " +
                              std::to_string(dim));
  if (target.value().size() > static_cast<size_t>(kMaxRank))
    return store(node, 0, node.dtype(0), target.value());
  const Result<Dims> joined = broadcast(x.dims(), target.value());
  if (!joined.ok()) return joined.status();
  return store(node, 0, node.dtype(0), joined.value());
}

Status tile(const Node& node) {
  const Shape& x = node.shape(0);
  if (!node.has_value(1)) return store_unknown(node, x.rank());
  const Result<Dims> repeats = integers(node, 1);
  if (!repeats.ok()) return repeats.status();
  if (repeats.value().size() != static_cast<size_t>(x.rank()))
    return invalid_argument("expects " + std::to_string(x.rank()) + " repeats, found " +
                            std::to_string(repeats.value().size()));
  Dims dims = dims_of(x);
  for (size_t i = 0; i < dims.size(); ++i) {
    const int64_t repeat = repeats.value()[i];
    if (repeat < 0)
      return invalid_argument("expects repeats that are not negative, found " +
                              std::to_string(repeat));
    if (!multiply(dims[i], repeat, dims[i])) return overflow();
  }
  return store(node, 0, node.dtype(0), dims);
}

}  // namespace nibble::model::infer
