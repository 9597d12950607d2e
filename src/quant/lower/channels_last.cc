#include <algorithm>
#include <optional>

#include "quant/lower/layout.h"
#include "quant/lower/lower.h"

namespace nibble::lower {
namespace {

using graph::Attr;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Op;
using graph::ValueId;

/// How an op takes the order of its operands' axes.
enum class Kind {
  kSpatial,      // wants channels last
  kElementwise,  // any order, the same for all operands
  kAxis,         // any order of operand 0; attribute `axis` moves along
  kAxes,         // any order of operand 0; constant input `axes` moves along
  kShape,        // reads dimensions only
  kTranspose,
  kLogical  // needs the order of the source
};

Kind kind_of(Op op) {
  switch (op) {
    case Op::kConv:
    case Op::kConvTranspose:
    case Op::kMaxPool:
    case Op::kAveragePool:
    case Op::kGlobalAveragePool:
    case Op::kGlobalMaxPool:
    case Op::kBatchNormalization:
    case Op::kInstanceNormalization:
    case Op::kResize:
      return Kind::kSpatial;
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kDiv:
    case Op::kPow:
    case Op::kMod:
    case Op::kMin:
    case Op::kMax:
    case Op::kEqual:
    case Op::kLess:
    case Op::kLessOrEqual:
    case Op::kGreater:
    case Op::kGreaterOrEqual:
    case Op::kAnd:
    case Op::kOr:
    case Op::kXor:
    case Op::kWhere:
    case Op::kPRelu:
    case Op::kNot:
    case Op::kNeg:
    case Op::kAbs:
    case Op::kSign:
    case Op::kFloor:
    case Op::kCeil:
    case Op::kRound:
    case Op::kSqrt:
    case Op::kReciprocal:
    case Op::kExp:
    case Op::kLog:
    case Op::kSin:
    case Op::kCos:
    case Op::kErf:
    case Op::kRelu:
    case Op::kLeakyRelu:
    case Op::kElu:
    case Op::kClip:
    case Op::kSigmoid:
    case Op::kTanh:
    case Op::kHardSwish:
    case Op::kHardSigmoid:
    case Op::kGelu:
    case Op::kSoftplus:
    case Op::kSwish:
    case Op::kCast:
    case Op::kIdentity:
    case Op::kRequantize:
      return Kind::kElementwise;
    case Op::kConcat:
    case Op::kSplit:
    case Op::kSoftmax:
    case Op::kLogSoftmax:
    case Op::kArgMax:
    case Op::kArgMin:
    case Op::kQuantizeLinear:
    case Op::kDequantizeLinear:
      return Kind::kAxis;
    case Op::kReduceMean:
    case Op::kReduceSum:
    case Op::kReduceMax:
    case Op::kReduceMin:
    case Op::kReduceProd:
    case Op::kSlice:
    case Op::kPad:
    case Op::kSqueeze:
      return Kind::kAxes;
    case Op::kShape:
      return Kind::kShape;
    case Op::kTranspose:
      return Kind::kTranspose;
    case Op::kGemm:
    case Op::kMatMul:
    case Op::kLayerNormalization:
    case Op::kGather:
    case Op::kReshape:
    case Op::kUnsqueeze:
    case Op::kFlatten:
    case Op::kDepthToSpace:
    case Op::kSpaceToDepth:
    case Op::kExpand:
    case Op::kTile:
    case Op::kSize:
    case Op::kConstantOfShape:
    case Op::kRange:
    case Op::kQConv:
    case Op::kQGemm:
    case Op::kQMatMul:
    case Op::kQAdd:
    case Op::kQMul:
    case Op::kDynamicQuantize:
    case Op::kQGemmReal:
      return Kind::kLogical;
  }
  __builtin_unreachable();
}

class Rewriter {
 public:
  explicit Rewriter(const Graph& source) : source_(source), layout_(source) {}

  Graph run() {
    for (const Node& node : source_.nodes)
      if (!rewrite(node)) keep(node);
    return layout_.finish();
  }

 private:
  /// False when the node must see the order of the source.
  bool rewrite(const Node& node) {
    if (node.attributes.get_int(Attr::channels_last, 0) != 0) return false;
    switch (kind_of(node.op)) {
      case Kind::kSpatial:
        return node.op == Op::kResize ? resize(node) : spatial(node);
      case Kind::kElementwise:
        return elementwise(node);
      case Kind::kAxis:
        return follows(node) && along_axis(node);
      case Kind::kAxes:
        return follows(node) && along_axes(node);
      case Kind::kShape:
        return follows(node) && shape_of(node);
      case Kind::kTranspose:
        return transpose(node);
      case Kind::kLogical:
        return false;
    }
    __builtin_unreachable();
  }

  int rank(ValueId id) const { return layout_.rank(id); }

  /// True when operand 0 already stands channels last, so that following it costs nothing.
  bool follows(const Node& node) const {
    const ValueId x = node.inputs[0];
    return rank(x) >= 3 && !source_.is_constant(x) && layout_.has(x, last(rank(x)));
  }

  void keep(const Node& node) {
    Node copy = node;
    for (ValueId& id : copy.inputs) id = layout_.get_logical(id);
    emit(std::move(copy), [&](ValueId id) { return logical(rank(id)); });
  }

  /// `node` has its inputs replaced already; outputs are made in the order that `axes_of` says.
  template <class AxesOf>
  void emit(Node node, AxesOf axes_of) {
    for (ValueId& id : node.outputs)
      if (id != kNoValue) id = layout_.make(id, axes_of(id));
    layout_.emit(std::move(node));
  }
  void emit_last(Node node) {
    emit(std::move(node), [&](ValueId id) { return last(rank(id)); });
  }

  bool spatial(const Node& node) {
    const int r = rank(node.inputs[0]);
    if (r < 3) return false;
    Node copy = node;
    copy.attributes.set(Attr::channels_last, int64_t{1});
    copy.inputs[0] = layout_.get(node.inputs[0], last(r));
    const bool weighted = node.op == Op::kConv || node.op == Op::kConvTranspose;
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      copy.inputs[i] =
          weighted && i == 1 ? layout_.get(id, last(rank(id))) : layout_.get_logical(id);
    }
    emit_last(std::move(copy));
    return true;
  }

  /// roi (begins, then ends), scales and sizes are given in the order of the axes.
  bool resize(const Node& node) {
    const int r = rank(node.inputs[0]);
    if (r < 3) return false;
    Node copy = node;
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue) continue;
      if (!source_.is_constant(id)) return false;
      const Tensor& old = *source_.value(id).constant;
      if (old.size() == 0) {
        copy.inputs[i] = layout_.get_logical(id);
      } else if (node.attributes.has(Attr::axes)) {
        copy.inputs[i] = layout_.get_logical(id);  // in the order of the attribute `axes`
      } else {
        copy.inputs[i] = reordered(id, last(r));
      }
    }
    if (node.attributes.has(Attr::axes)) {
      std::vector<int64_t> axes;
      for (int64_t axis : node.attributes.get_ints(Attr::axes))
        axes.push_back(place_of(last(r), normalize_axis(axis, r)));
      copy.attributes.set(Attr::axes, std::move(axes));
    }
    copy.attributes.set(Attr::channels_last, int64_t{1});
    copy.inputs[0] = layout_.get(node.inputs[0], last(r));
    emit_last(std::move(copy));
    return true;
  }

  /// A constant vector with one entry an axis (or one a begin, then one an end) in the order
  /// `axes`.
  ValueId reordered(ValueId id, const Axes& axes) {
    const graph::Value& value = source_.value(id);
    const Tensor& old = *value.constant;
    const size_t element = size_of(old.dtype());
    const int64_t rank = static_cast<int64_t>(axes.size());
    Tensor moved(old.dtype(), old.shape());
    for (int64_t i = 0; i < old.size(); ++i) {
      const int64_t from = i / rank * rank + axes[static_cast<size_t>(i % rank)];
      std::copy_n(old.data() + static_cast<size_t>(from) * element, element,
                  moved.data() + static_cast<size_t>(i) * element);
    }
    return layout_.constant(value.name + "_channels_last", std::move(moved));
  }

  /// Operands broadcast: one with fewer axes gets leading ones first, which only a constant (or a
  /// single element) can without a copy.
  bool elementwise(const Node& node) {
    const int r = rank(node.outputs[0]);
    if (r < 3) return false;
    bool is_last = false;
    for (ValueId id : node.inputs) {
      if (id == kNoValue || source_.value(id).shape.rank() == 0) continue;
      if (source_.is_constant(id)) continue;
      if (rank(id) != r) return false;
      is_last |= layout_.has(id, last(r));
    }
    if (!is_last) return false;
    Node copy = node;
    for (ValueId& id : copy.inputs) {
      if (id == kNoValue) continue;
      id = rank(id) == r ? layout_.get(id, last(r)) : extended(id, r);
    }
    emit_last(std::move(copy));
    return true;
  }

  /// A constant of fewer axes than `rank`: leading ones, then channels last.
  ValueId extended(ValueId id, int rank) {
    const graph::Value& value = source_.value(id);
    if (value.shape.rank() == 0 || !value.constant || value.constant->size() == 1)
      return layout_.get_logical(id);
    Shape shape;
    for (int i = value.shape.rank(); i < rank; ++i) shape.push_back(1);
    for (int64_t dim : value.shape.dims()) shape.push_back(dim);
    Tensor tensor = value.constant->clone();
    tensor.reshape(shape);
    return layout_.constant(value.name + "_channels_last", permute(tensor, last(rank)));
  }

  bool along_axis(const Node& node) {
    const int r = rank(node.inputs[0]);
    if (node.attributes.get_int(Attr::flatten_from_axis, 0) != 0) return false;
    if (node.attributes.has(Attr::block_size)) return false;
    for (ValueId id : node.inputs)
      if (node.op == Op::kConcat && rank(id) != r) return false;
    const bool quantisation = node.op == Op::kQuantizeLinear || node.op == Op::kDequantizeLinear;
    const int64_t otherwise = quantisation                 ? 1
                              : node.op == Op::kSoftmax    ? -1
                              : node.op == Op::kLogSoftmax ? -1
                                                           : 0;
    const int axis = normalize_axis(node.attributes.get_int(Attr::axis, otherwise), r);
    const int place = place_of(last(r), axis);
    const bool drops = (node.op == Op::kArgMax || node.op == Op::kArgMin) &&
                       node.attributes.get_int(Attr::keepdims, 1) == 0;
    const std::optional<Axes> order = drops ? dropped(r, {axis}) : last(r);
    if (!order) return false;
    Node copy = node;
    copy.attributes.set(Attr::axis, int64_t{place});
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const bool data = i == 0 || node.op == Op::kConcat;
      copy.inputs[i] =
          data ? layout_.get(node.inputs[i], last(r)) : layout_.get_logical(node.inputs[i]);
    }
    emit(std::move(copy), [&](ValueId) { return *order; });
    return true;
  }

  /// Reductions, Squeeze: axes are input 1; Slice, Pad: input 3. Absent: all axes in order.
  bool along_axes(const Node& node) {
    const int r = rank(node.inputs[0]);
    const bool by_entry = node.op == Op::kSlice || node.op == Op::kPad;
    const size_t at = by_entry ? 3 : 1;
    const bool given = node.inputs.size() > at && node.inputs[at] != kNoValue;
    if (node.op == Op::kSqueeze && !given) return false;
    std::vector<int64_t> axes;
    if (given) {
      if (!source_.is_constant(node.inputs[at])) return false;
      const std::optional<std::vector<int64_t>> read = integers(node.inputs[at]);
      if (!read) return false;
      axes = *read;
    } else if (by_entry) {
      const Shape& entries = source_.value(node.inputs[1]).shape;
      if (entries.rank() != 1 || !entries.known()) return false;
      const int64_t count = node.op == Op::kPad ? entries[0] / 2 : entries[0];
      for (int64_t i = 0; i < count; ++i) axes.push_back(i);
    }
    for (int64_t& axis : axes) axis = normalize_axis(axis, r);
    std::optional<Axes> order = last(r);
    const bool reduction = !by_entry && node.op != Op::kSqueeze;
    if (node.op == Op::kSqueeze || (reduction && node.attributes.get_int(Attr::keepdims, 1) == 0)) {
      Axes gone(axes.begin(), axes.end());
      const bool everything =
          axes.empty() && node.attributes.get_int(Attr::noop_with_empty_axes, 0) == 0;
      if (everything) gone = logical(r);
      order = dropped(r, gone);
    }
    if (!order) return false;
    Node copy = node;
    copy.inputs[0] = layout_.get(node.inputs[0], last(r));
    for (size_t i = 1; i < node.inputs.size(); ++i)
      copy.inputs[i] = layout_.get_logical(node.inputs[i]);
    if (given || by_entry) {
      if (copy.inputs.size() <= at) copy.inputs.resize(at + 1, kNoValue);
      for (int64_t& axis : axes) axis = place_of(last(r), static_cast<int>(axis));
      copy.inputs[at] = layout_.constant(
          node.name + "_axes_channels_last",
          Tensor::of<int64_t>({static_cast<int64_t>(axes.size())}, std::span(axes)));
    }
    emit(std::move(copy), [&](ValueId) { return *order; });
    return true;
  }

  std::optional<std::vector<int64_t>> integers(ValueId id) const {
    const Tensor& tensor = *source_.value(id).constant;
    std::vector<int64_t> result;
    if (tensor.dtype() == DType::kI64) {
      for (int64_t v : tensor.span<int64_t>()) result.push_back(v);
    } else if (tensor.dtype() == DType::kI32) {
      for (int32_t v : tensor.span<int32_t>()) result.push_back(v);
    } else {
      return std::nullopt;
    }
    return result;
  }

  /// The order of what is left of a channels-last tensor when logical axes `gone` are dropped;
  /// nothing when that is neither the source's order nor channels last.
  static std::optional<Axes> dropped(int rank, const Axes& gone) {
    std::vector<int> renumbered(static_cast<size_t>(rank), 0);
    int left = 0;
    for (int axis = 0; axis < rank; ++axis) {
      renumbered[axis] = left;
      left += std::find(gone.begin(), gone.end(), axis) == gone.end();
    }
    Axes order;
    for (int axis : last(rank))
      if (std::find(gone.begin(), gone.end(), axis) == gone.end())
        order.push_back(renumbered[axis]);
    if (order == logical(left) || (left >= 3 && order == last(left))) return order;
    return std::nullopt;
  }

  /// Shape(x) = Gather(Shape(x channels last), places): no element of x moves.
  bool shape_of(const Node& node) {
    if (node.attributes.has(Attr::start) || node.attributes.has(Attr::end)) return false;
    const ValueId x = node.inputs[0];
    const int r = rank(x);
    std::vector<int64_t> places;
    for (int axis = 0; axis < r; ++axis) places.push_back(place_of(last(r), axis));
    const ValueId dims = layout_.fresh(node.name + "_channels_last", DType::kI64, {r});
    layout_.emit({Op::kShape,
                  layout_.free_node_name(node.name + "_channels_last"),
                  {},
                  {layout_.get(x, last(r))},
                  {dims}});
    const ValueId order =
        layout_.constant(node.name + "_places", Tensor::of<int64_t>({r}, std::span(places)));
    Node gather{Op::kGather, node.name, {}, {dims, order}, node.outputs};
    gather.attributes.set(Attr::axis, int64_t{0});
    emit(std::move(gather), [&](ValueId) { return logical(1); });
    return true;
  }

  bool transpose(const Node& node) {
    const ValueId x = node.inputs[0], y = node.outputs[0];
    const int r = rank(x);
    const auto grid = [&](ValueId id) {
      const auto& quant = source_.value(id).quant;
      return quant ? std::optional(quant->params) : std::nullopt;
    };
    if (source_.is_constant(x) || grid(x) != grid(y)) return false;
    const auto given = node.attributes.get_ints(Attr::perm);
    Axes perm(given.begin(), given.end());
    if (perm.empty()) {
      perm = logical(r);
      std::reverse(perm.begin(), perm.end());
    }
    layout_.alias(y, x, perm);
    return true;
  }

  const Graph& source_;
  Relayout layout_;
};

}  // namespace

graph::Graph channels_last(const graph::Graph& graph) {
  return Rewriter(graph).run();
}

}  // namespace nibble::lower
