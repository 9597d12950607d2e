#include "quant/lower/layout.h"

#include <algorithm>
#include <utility>

#include "quant/graph/error.h"

namespace nibble::lower {
namespace {

using graph::Attr;
using graph::Op;
using graph::Value;
using graph::ValueId;

bool is_identity(const Axes& axes) {
  return std::is_sorted(axes.begin(), axes.end());
}

/// True when `perm` moves nothing but axes of length 1: the elements keep their order.
bool keeps_order(const Shape& shape, const Axes& perm) {
  int before = -1;
  for (int axis : perm) {
    if (shape[axis] == 1) continue;
    if (axis < before) return false;
    before = axis;
  }
  return true;
}

/// The target of a Reshape to `shape`; empty when its unknown dimensions cannot be written (0: as
/// in the input at the same place; -1: the one that is left).
std::vector<int64_t> reshape_target(const Shape& from, const Shape& shape) {
  std::vector<int64_t> target;
  bool inferred = false;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == 0) return {};
    if (shape[i] != kUnknownDim) {
      target.push_back(shape[i]);
    } else if (i < from.rank() && from[i] == kUnknownDim) {
      target.push_back(0);
    } else if (!std::exchange(inferred, true)) {
      target.push_back(-1);
    } else {
      return {};
    }
  }
  return target;
}

std::string suffix_of(const Axes& axes) {
  if (is_identity(axes)) return "_channels_first";
  return axes == last(static_cast<int>(axes.size())) ? "_channels_last" : "_transposed";
}

}  // namespace

Relayout::Relayout(const graph::Graph& source) : source_(source), versions_(source.values.size()) {
  out_.source = source.source;
  out_.phase = source.phase;
  out_.requantise = source.requantise;
  out_.metadata = source.metadata;
  for (const graph::Node& node : source.nodes) node_names_.insert(node.name);
  for (ValueId id : source.inputs) out_.inputs.push_back(make(id, logical(rank(id))));
}

ValueId Relayout::make(ValueId id, const Axes& axes) {
  const Value& value = source_.value(id);
  const ValueId made = out_.add_value(value.name, value.dtype, permute(value.shape, axes));
  if (value.quant)
    out_.value(made).quant =
        graph::QuantInfo{permute(value.quant->params, axes), value.quant->chosen_by};
  versions_[id].push_back({made, axes});
  return made;
}

bool Relayout::has(ValueId id, const Axes& axes) const {
  return std::any_of(versions_[id].begin(), versions_[id].end(),
                     [&](const Version& version) { return version.axes == axes; });
}

ValueId Relayout::get_logical(ValueId id) {
  return id == graph::kNoValue ? id : get(id, logical(rank(id)));
}

ValueId Relayout::get(ValueId id, const Axes& axes) {
  for (const Version& version : versions_[id])
    if (version.axes == axes) return version.id;
  const Value& value = source_.value(id);
  if (value.constant) {
    const ValueId made = make(id, axes);
    out_.value(made).constant =
        is_identity(axes) ? value.constant
                          : std::make_shared<const Tensor>(permute(*value.constant, axes));
    return made;
  }
  if (versions_[id].empty())
    throw Error(ErrorKind::kInternal, "'" + value.name + "' is read before it is made",
                source_.source);
  const Version from = versions_[id].front();
  Axes perm;
  for (int axis : axes) perm.push_back(place_of(from.axes, axis));
  const ValueId made = transpose(from.id, perm, value.name + suffix_of(axes));
  versions_[id].push_back({made, axes});
  return made;
}

ValueId Relayout::transpose(ValueId from, const Axes& perm, const std::string& name) {
  const Shape shape = out_.value(from).shape;
  const Shape to = permute(shape, perm);
  const ValueId made = out_.add_value(name, out_.value(from).dtype, to);
  if (out_.value(from).quant)
    out_.value(made).quant = graph::QuantInfo{permute(out_.value(from).quant->params, perm),
                                              out_.value(from).quant->chosen_by};
  graph::Node node{Op::kTranspose, free_node_name(name), {}, {from}, {made}};
  const std::vector<int64_t> target =
      keeps_order(shape, perm) ? reshape_target(shape, to) : std::vector<int64_t>();
  if (target.empty()) {
    node.attributes.set(Attr::perm, std::vector<int64_t>(perm.begin(), perm.end()));
  } else {
    node.op = Op::kReshape;
    node.inputs.push_back(out_.add_constant(
        name + "_shape",
        Tensor::of<int64_t>({static_cast<int64_t>(target.size())}, std::span(target))));
  }
  out_.nodes.push_back(std::move(node));
  return made;
}

void Relayout::alias(ValueId id, ValueId from, const Axes& perm) {
  for (const Version& version : versions_[from]) {
    Axes axes;
    for (int axis : version.axes) axes.push_back(place_of(perm, axis));
    versions_[id].push_back({version.id, std::move(axes)});
  }
}

void Relayout::emit(graph::Node node) {
  out_.nodes.push_back(std::move(node));
}

std::string Relayout::free_node_name(const std::string& name) {
  std::string unique = name;
  for (int i = 1; !node_names_.insert(unique).second; ++i) unique = name + "_" + std::to_string(i);
  return unique;
}

graph::Graph Relayout::finish() {
  for (ValueId output : source_.outputs) {
    const std::string& name = source_.value(output).name;
    ValueId id = get_logical(output);
    const ValueId owner = source_.find(out_.value(id).name);
    if (owner != graph::kNoValue && owner != output) {  // both names of a vanished transpose stay
      const ValueId copy = make(output, logical(rank(output)));
      emit({Op::kIdentity, free_node_name(name), {}, {id}, {copy}});
      id = copy;
    }
    if (out_.value(id).name != name) {
      const ValueId holder = out_.find(name);
      if (holder == graph::kNoValue) {
        out_.rename(id, name);
      } else {
        out_.swap_names(id, holder);
      }
    }
    out_.outputs.push_back(id);
  }
  out_.remove_dead_nodes();
  return std::move(out_);
}

}  // namespace nibble::lower
