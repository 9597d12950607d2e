#include <algorithm>
#include <vector>

#include "deploy/kernels/move/move.h"
#include "deploy/model/ranges.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/integers.h"

namespace nibble::run {
namespace {

using kernels::StridedCopy;
using model::Attr;
using model::Op;
using Axes = std::vector<StridedCopy::Axis>;

// Parts of a copy that are worth a thread.
constexpr int64_t kBytesPerTask = 1 << 16;

/// The axes of a dense tensor.
Axes dense_axes(std::span<const int64_t> dims) {
  Axes axes(dims.size());
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    axes[i] = {dims[i], stride};
    stride *= dims[i];
  }
  return axes;
}

Axes permuted(const Axes& axes, std::initializer_list<int> order) {
  Axes result;
  for (int i : order) result.push_back(axes[static_cast<size_t>(i)]);
  return result;
}

Axes transpose_axes(const PrepareContext& context) {
  const Axes axes = dense_axes(context.inputs[0].shape.dims());
  const auto perm = context.node.attributes.get_ints(Attr::perm);
  if (perm.empty()) return {axes.rbegin(), axes.rend()};
  Axes result;
  for (int64_t axis : perm)
    result.push_back(
        axes[static_cast<size_t>(normalize_axis(axis, static_cast<int>(axes.size())))]);
  return result;
}

Axes expand_axes(const PrepareContext& context) {
  const Axes axes = dense_axes(context.inputs[0].shape.dims());
  const auto dims = context.outputs[0].shape.dims();
  Axes result;
  for (size_t i = 0; i < dims.size(); ++i) {
    const size_t missing = dims.size() - axes.size();
    const bool repeats = i < missing || axes[i - missing].length != dims[i];
    result.push_back({dims[i], repeats ? 0 : axes[i - missing].stride});
  }
  return result;
}

/// Axis by axis: repeats, then elements.
Axes tile_axes(const PrepareContext& context) {
  const Axes axes = dense_axes(context.inputs[0].shape.dims());
  Axes result;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t whole = context.outputs[0].shape[static_cast<int>(i)];
    result.push_back({axes[i].length ? whole / axes[i].length : 0, 0});
    result.push_back(axes[i]);
  }
  return result;
}

Axes depth_to_space_axes(const PrepareContext& context) {
  const Shape& x = context.inputs[0].shape;
  const int64_t b = context.node.attributes.get_int(Attr::blocksize, 1);
  if (context.node.attributes.get_string(Attr::mode, "DCR") == "CRD")
    return permuted(dense_axes(Shape{x[0], x[1] / (b * b), b, b, x[2], x[3]}.dims()),
                    {0, 1, 4, 2, 5, 3});
  return permuted(dense_axes(Shape{x[0], b, b, x[1] / (b * b), x[2], x[3]}.dims()),
                  {0, 3, 4, 1, 5, 2});
}

Axes space_to_depth_axes(const PrepareContext& context) {
  const Shape& x = context.inputs[0].shape;
  const int64_t b = context.node.attributes.get_int(Attr::blocksize, 1);
  return permuted(dense_axes(Shape{x[0], x[1], x[2] / b, b, x[3] / b, b}.dims()),
                  {0, 3, 5, 1, 2, 4});
}

/// Every op that reads each axis of its input at a fixed stride.
class StridedStep : public Step {
 public:
  explicit StridedStep(Op op) : op_(op) {}

  Status prepare(PrepareContext& context) override {
    Axes axes;
    int64_t offset = 0;
    if (op_ == Op::kSlice)
      NIBBLE_RETURN_IF_ERROR(slice_axes(context, axes, offset));
    else if (op_ == Op::kTranspose)
      axes = transpose_axes(context);
    else if (op_ == Op::kExpand)
      axes = expand_axes(context);
    else if (op_ == Op::kTile)
      axes = tile_axes(context);
    else if (op_ == Op::kDepthToSpace)
      axes = depth_to_space_axes(context);
    else
      axes = space_to_depth_axes(context);
    plan_ = kernels::plan_strided_copy(axes, offset, size_of(context.inputs[0].dtype));
    grain_ = std::max<int64_t>(1, kBytesPerTask / std::max<int64_t>(1, plan_.unit_bytes));
    return {};
  }

  void run(const RunContext& context) override {
    const void* src = context.inputs[0].data;
    void* dst = context.outputs[0].data;
    context.pool.parallel_for(plan_.units, grain_, [&](int64_t begin, int64_t end) {
      kernels::strided_copy(plan_, src, dst, begin, end);
    });
  }

  std::string_view kernel() const override {
    switch (plan_.inner) {
      case StridedCopy::Inner::kRun:
        return "strided_runs";
      case StridedCopy::Inner::kTranspose:
        return "strided_transpose";
      case StridedCopy::Inner::kElements:
        return "strided_elements";
    }
    return "strided";
  }

 private:
  static Status slice_axes(const PrepareContext& context, Axes& axes, int64_t& offset) {
    std::vector<int64_t> lists[4];
    for (size_t i = 0; i < 4; ++i) {
      auto list = known_integers(context.inputs, i + 1);
      if (!list.ok()) return list.status();
      lists[i] = std::move(list).value();
    }
    const auto ranges =
        model::resolve_slice(context.inputs[0].shape, lists[0], lists[1], lists[2], lists[3]);
    if (!ranges.ok()) return ranges.status();
    axes = dense_axes(context.inputs[0].shape.dims());
    for (size_t i = 0; i < axes.size(); ++i) {
      const model::SliceRange& range = ranges.value()[i];
      offset += range.start * axes[i].stride;
      axes[i] = {range.length, range.step * axes[i].stride};
    }
    return {};
  }

  Op op_;
  StridedCopy plan_;
  int64_t grain_ = 1;
};

}  // namespace

std::unique_ptr<Step> make_strided(const model::Model&, const model::NodeInfo& node) {
  return std::make_unique<StridedStep>(node.op);
}

}  // namespace nibble::run
