// Nodes whose inputs are all constants are run, by the runtime itself, and become constants; Shape
// of a known shape, and single known dimensions of a shape that is not all known, likewise. Results
// that are much larger than what they are made from stay nodes.

#include <algorithm>
#include <optional>

#include "deploy/run/session.h"
#include "quant/pack/pack.h"
#include "quant/transform/edit.h"
#include "quant/transform/transform.h"

namespace nibble::transform {
namespace {

using graph::Attr;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Op;
using graph::ValueId;

constexpr int64_t kLargestGrowth = 1 << 20;  // elements beyond those of the inputs

bool all_constant(const Graph& g, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
    return id == kNoValue || (g.is_constant(id) && !g.value(id).quant);
  });
}

/// Ops whose kernels see channels-last data; they are not computed here.
bool is_spatial(Op op) {
  return op == Op::kConv || op == Op::kConvTranspose || op == Op::kMaxPool ||
         op == Op::kAveragePool || op == Op::kGlobalAveragePool || op == Op::kGlobalMaxPool ||
         op == Op::kBatchNormalization || op == Op::kInstanceNormalization || op == Op::kResize;
}

bool may_grow_too_large(const Graph& g, const Node& node) {
  int64_t in = 0, out = 0;
  for (ValueId id : node.inputs)
    if (id != kNoValue) in += g.value(id).constant->size();
  for (ValueId id : node.outputs) {
    if (id == kNoValue) continue;
    if (!g.value(id).shape.known()) return true;
    out += g.value(id).shape.size();
  }
  return out > in + kLargestGrowth;
}

/// The node alone, as a graph without inputs.
Graph alone(const Graph& g, const Node& node) {
  Graph one;
  one.source = g.source;
  Node copy = node;
  for (ValueId& id : copy.inputs) {
    if (id == kNoValue) continue;
    const graph::Value& value = g.value(id);
    id = one.add_value(value.name, value.dtype, value.shape);
    one.value(id).constant = value.constant;
  }
  for (ValueId& id : copy.outputs) {
    if (id == kNoValue) continue;
    id = one.add_value(g.value(id).name, g.value(id).dtype, g.value(id).shape);
    one.outputs.push_back(id);
  }
  one.nodes.push_back(std::move(copy));
  return one;
}

/// Results in the order of the node's outputs that are present; nothing when the runtime has no
/// kernel.
std::optional<std::vector<Tensor>> compute(const Graph& g, const Node& node) {
  auto session = run::Session::create(pack::pack(alone(g, node)), {});
  if (!session.ok() || !session.value()->prepare({}).ok() || !session.value()->run({}).ok())
    return std::nullopt;
  std::vector<Tensor> results;
  for (size_t i = 0, n = session.value()->model().outputs.size(); i < n; ++i) {
    const TensorView view = session.value()->output(i);
    Tensor& copy = results.emplace_back(view.dtype, view.shape);
    std::copy_n(static_cast<const std::byte*>(view.data), view.bytes(), copy.data());
  }
  return results;
}

void make_constant(Graph& g, ValueId id, Tensor tensor) {
  g.value(id).dtype = tensor.dtype();
  g.value(id).shape = tensor.shape();
  g.value(id).constant = std::make_shared<const Tensor>(std::move(tensor));
}

/// Dimensions of Shape(x), and of Gather(Shape(x), constant), that are known.
std::optional<Tensor> known_dimensions(const Graph& g, const graph::Uses& uses, const Node& node) {
  const auto dims_of = [&](const Node& shape_node) {
    const Shape& x = g.value(shape_node.inputs[0]).shape;
    const auto clamp = [&](int64_t axis) {
      return std::clamp<int64_t>(axis < 0 ? axis + x.rank() : axis, 0, x.rank());
    };
    const int64_t start = clamp(shape_node.attributes.get_int(Attr::start, 0));
    const int64_t end = clamp(shape_node.attributes.get_int(Attr::end, x.rank()));
    std::vector<int64_t> dims;
    for (int64_t i = start; i < end; ++i) dims.push_back(x[static_cast<int>(i)]);
    return dims;
  };
  if (node.op == Op::kShape) {
    const std::vector<int64_t> dims = dims_of(node);
    if (std::count(dims.begin(), dims.end(), kUnknownDim) > 0) return std::nullopt;
    return Tensor::of<int64_t>({static_cast<int64_t>(dims.size())}, std::span(dims));
  }
  if (node.op != Op::kGather) return std::nullopt;
  const int producer = uses.producer[node.inputs[0]];
  if (producer < 0 || g.nodes[static_cast<size_t>(producer)].op != Op::kShape) return std::nullopt;
  const std::vector<int64_t> dims = dims_of(g.nodes[static_cast<size_t>(producer)]);
  const std::vector<int64_t> indices = integers(g, node.inputs[1]);
  if (indices.empty()) return std::nullopt;
  std::vector<int64_t> picked;
  for (int64_t i : indices) {
    const int64_t at = i < 0 ? i + static_cast<int64_t>(dims.size()) : i;
    if (at < 0 || at >= static_cast<int64_t>(dims.size())) return std::nullopt;
    if (dims[static_cast<size_t>(at)] == kUnknownDim) return std::nullopt;
    picked.push_back(dims[static_cast<size_t>(at)]);
  }
  return Tensor::of<int64_t>(g.value(node.inputs[1]).shape, std::span(picked));
}

int fold(Graph& g) {
  const graph::Uses uses(g);
  std::vector<Node> kept;
  int count = 0;
  for (Node& node : g.nodes) {  // in order: a folded result may make its reader foldable
    std::optional<Tensor> dims = known_dimensions(g, uses, node);
    std::optional<std::vector<Tensor>> results;
    if (dims) {
      make_constant(g, node.outputs[0], *std::move(dims));
    } else if (all_constant(g, node) && !is_spatial(node.op) && !may_grow_too_large(g, node) &&
               (results = compute(g, node))) {
      size_t next = 0;
      for (ValueId id : node.outputs)
        if (id != kNoValue) make_constant(g, id, std::move((*results)[next++]));
    } else {
      kept.push_back(node);
      continue;
    }
    ++count;
  }
  g.nodes = std::move(kept);
  return count;
}

}  // namespace

namespace method {

extern const Transform fold_constants;
const Transform fold_constants = {
    .on_by_default = true,
    .apply = fold,
};

}  // namespace method
}  // namespace nibble::transform
