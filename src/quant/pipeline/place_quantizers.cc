#include "quant/pipeline/place_quantizers.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "quant/graph/error.h"
#include "quant/pipeline/layer_schemes.h"

namespace nibble::pipeline {
namespace {

using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Op;
using graph::ValueId;
using recipe::Scheme;

/// Int16 activations are the widest grid, float ones have none.
constexpr int kWide = 16;
/// Output channels that share a scale under --granularity group.
constexpr int64_t kChannelsPerGroup = 4;

/// Ops that keep the grid of input 0: they move codes or pick among them.
bool passes_grid(Op op) {
  switch (op) {
    case Op::kMaxPool:
    case Op::kAveragePool:
    case Op::kGlobalMaxPool:
    case Op::kReshape:
    case Op::kFlatten:
    case Op::kTranspose:
    case Op::kSqueeze:
    case Op::kUnsqueeze:
    case Op::kSlice:
    case Op::kSplit:
    case Op::kPad:
    case Op::kIdentity:
    case Op::kDepthToSpace:
    case Op::kSpaceToDepth:
    case Op::kExpand:
    case Op::kTile:
      return true;
    default:
      return false;
  }
}

/// Sets of values with one grid.
class Classes {
 public:
  explicit Classes(size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0); }
  int find(int i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(int a, int b) { parent_[find(a)] = find(b); }

 private:
  std::vector<int> parent_;
};

class Placer {
 public:
  Placer(const Graph& graph, const recipe::Recipe& recipe)
      : graph_(graph),
        recipe_(recipe),
        uses_(graph),
        schemes_(layer_schemes(graph, recipe)),
        classes_(graph.values.size()),
        bits_(graph.values.size(), 0) {
    placement_.graph = graph;
  }

  Placement run() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) refuse_contradictions(i);
    link_classes();
    for (size_t i = 0; i < graph_.nodes.size(); ++i) place_node(i);
    spread_to_followers();
    requantize_narrow_readers();
    collect_activations();
    place_weights();
    placement_.graph.sort_nodes();
    return std::move(placement_);
  }

 private:
  bool is_activation(ValueId id) const {
    return id != kNoValue && !graph_.is_constant(id) && graph_.value(id).dtype == DType::kF32;
  }

  void refuse_contradictions(size_t i) const {
    if (!schemes_[i] || !is_weighted(graph_, graph_.nodes[i])) return;
    const Scheme& s = *schemes_[i];
    if (s.ternary && !s.symmetric.value_or(true))
      throw Error(ErrorKind::kUsage,
                  "scheme " + recipe::to_string(s) +
                      ": ternary weights have codes -1, 0 and +1, expected no _ASYM",
                  graph_.source, graph_.nodes[i].name);
  }

  /// Whether node i keeps the grid of input 0. A mean of codes -1 and +1 is none of them: with
  /// 1-bit activations an AveragePool works at 8 bits and its result is requantised.
  bool passes(size_t i) const {
    const Node& node = graph_.nodes[i];
    return passes_grid(node.op) && !(node.op == Op::kAveragePool && has_one_bit(schemes_[i]));
  }
  static bool has_one_bit(const std::optional<Scheme>& s) {
    return s && s->activations == Scheme::Activations::kInt && s->act_bits == 1;
  }

  bool float_activations(const Scheme& s) const {
    return s.activations == Scheme::Activations::kFloat;
  }
  /// Width of tensors that are no data input of a weighted op.
  int other_bits(const Scheme& s) const {
    return s.activations == Scheme::Activations::kInt16 ? kWide : std::max(8, s.act_bits);
  }
  int data_bits(const Scheme& s) const {
    return s.activations == Scheme::Activations::kInt16 ? kWide : s.act_bits;
  }

  /// A weighted op that will be integer arithmetic: not ConvTranspose, no block scales, quantised
  /// activations.
  bool runs_on_integers(size_t i) const {
    const Node& node = graph_.nodes[i];
    return schemes_[i] && is_weighted(graph_, node) && !float_activations(*schemes_[i]) &&
           node.op != Op::kConvTranspose &&
           weight_granularity(node, *schemes_[i]) != numeric::Granularity::kBlock;
  }

  /// A weighted op that quantises the rows of its input when it runs, to 8 bits: weight-only
  /// schemes, and block scales, of which no integer sum over all of K can be made.
  bool runs_on_rows(size_t i) const {
    const Node& node = graph_.nodes[i];
    if (recipe_.exact || !schemes_[i] || !is_weighted(graph_, node) ||
        node.op == Op::kConvTranspose)
      return false;
    return float_activations(*schemes_[i]) ||
           (data_bits(*schemes_[i]) == 8 &&
            weight_granularity(node, *schemes_[i]) == numeric::Granularity::kBlock);
  }

  /// Element-wise ops that run on integers: two activations. With a constant operand they stay
  /// float.
  bool is_quantized_elementwise(const Node& node) const {
    return (node.op == Op::kAdd || node.op == Op::kMul) && is_activation(node.inputs[0]) &&
           is_activation(node.inputs[1]);
  }
  bool is_activation_matmul(const Node& node) const {
    return node.op == Op::kMatMul && is_activation(node.inputs[0]) && is_activation(node.inputs[1]);
  }

  void link_classes() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (!schemes_[i]) continue;
      if (passes(i) && is_activation(node.inputs[0]))
        for (ValueId id : node.outputs)
          if (is_activation(id)) classes_.join(id, node.inputs[0]);
    }
    // A Concat input that nobody else reads takes the grid of the result.
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (node.op != Op::kConcat || !schemes_[i]) continue;
      for (ValueId id : node.inputs)
        if (is_activation(id) && uses_.readers[id].size() == 1 && !uses_.is_output[id] &&
            only_reader_of_class(id))
          classes_.join(id, node.outputs[0]);
    }
  }

  /// True if the class of `id` holds nothing but `id` so far (no pool or reshape hangs on it).
  bool only_reader_of_class(ValueId id) {
    for (size_t v = 0; v < graph_.values.size(); ++v)
      if (static_cast<ValueId>(v) != id && classes_.find(static_cast<int>(v)) == classes_.find(id))
        return false;
    return true;
  }

  /// Says that the class of `id` needs a grid of at least `bits` bits.
  void need(ValueId id, int bits) {
    int& have = bits_[classes_.find(id)];
    have = std::max(have, bits);
  }

  void place_node(size_t i) {
    const Node& node = graph_.nodes[i];
    if (!schemes_[i]) return;
    const Scheme& s = *schemes_[i];
    if (runs_on_rows(i)) placement_.graph.nodes[i].attributes.set(graph::Attr::dynamic, int64_t{1});
    if (runs_on_rows(i) || float_activations(s)) return;
    if (is_weighted(graph_, node)) {
      if (!runs_on_integers(i)) {
        placement_.notes.push_back(node.name + ": " +
                                   (node.op == Op::kConvTranspose
                                        ? "ConvTranspose has no integer kernel"
                                    : recipe_.exact ? "block scales, asked to be exact"
                                                    : "block scales take activations of 8 bits") +
                                   "; the weights are quantised, the node runs in float");
        return;
      }
      readers_.push_back({static_cast<int>(i), node.inputs[0], data_bits(s)});
      need(node.inputs[0], data_bits(s));
      need(node.outputs[0], readers_want(node.outputs[0], other_bits(s)));
    } else if (is_quantized_elementwise(node) || is_activation_matmul(node)) {
      for (ValueId id : node.inputs) need(id, other_bits(s));
      need(node.outputs[0], other_bits(s));
    } else if (node.op == Op::kRelu || node.op == Op::kClip || node.op == Op::kGlobalAveragePool ||
               (node.op == Op::kAveragePool && !passes(i))) {
      if (is_activation(node.inputs[0])) followers_.push_back(static_cast<int>(i));
    } else if (node.op == Op::kConcat) {
      if (std::all_of(node.inputs.begin(), node.inputs.end(),
                      [&](ValueId id) { return is_activation(id); }))
        concats_.push_back(static_cast<int>(i));
    }
  }

  /// The width that an integer op's result needs of itself: none where every reader, seen through
  /// pools and shape ops, is a weighted op (they ask for theirs); `otherwise` for outputs of the
  /// network, islands and everything else.
  int readers_want(ValueId id, int otherwise) {
    if (uses_.is_output[id]) return otherwise;
    for (int r : uses_.readers[id]) {
      const Node& reader = graph_.nodes[r];
      if (!schemes_[r]) return otherwise;
      if (reader.inputs[0] == id && runs_on_integers(r)) continue;
      if (passes(static_cast<size_t>(r)) && reader.inputs[0] == id) {
        for (ValueId out : reader.outputs)
          if (is_activation(out) && readers_want(out, otherwise) > 0) return otherwise;
        continue;
      }
      return otherwise;
    }
    return uses_.readers[id].empty() ? otherwise : 0;
  }

  struct Reader {
    int node;
    ValueId value;
    int bits;
  };

  void spread_to_followers() {
    // Concat: quantised where its result or one of its inputs is, 8 bits at least. A clamp that
    // could not be fused runs on codes where it reads codes.
    for (bool changed = true; changed;) {
      changed = false;
      for (int c : followers_) {
        const Node& node = graph_.nodes[c];
        if (bits_[classes_.find(node.inputs[0])] > 0 && bits_[classes_.find(node.outputs[0])] == 0)
          changed |= raise(node.outputs[0], other_bits(*schemes_[c]));
      }
      for (int c : concats_) {
        const Node& node = graph_.nodes[c];
        const int bits = other_bits(*schemes_[c]);
        const bool wanted = bits_[classes_.find(node.outputs[0])] > 0 ||
                            std::any_of(node.inputs.begin(), node.inputs.end(),
                                        [&](ValueId id) { return bits_[classes_.find(id)] > 0; });
        if (!wanted) continue;
        for (ValueId id : node.inputs) changed |= raise(id, bits);
        changed |= raise(node.outputs[0], bits);
      }
    }
  }

  void requantize_narrow_readers() {
    std::map<std::pair<ValueId, int>, ValueId> narrow;
    for (const Reader& reader : readers_) {
      if (bits_[classes_.find(reader.value)] <= reader.bits) continue;
      auto [it, is_new] = narrow.try_emplace({reader.value, reader.bits}, kNoValue);
      if (is_new) it->second = add_requantize(reader.value, reader.bits);
      placement_.graph.nodes[reader.node].inputs[0] = it->second;
    }
  }

  bool raise(ValueId id, int bits) {
    int& have = bits_[classes_.find(id)];
    if (have >= bits) return false;
    have = bits;
    return true;
  }

  ValueId add_requantize(ValueId from, int bits) {
    Graph& g = placement_.graph;
    const std::string name = g.value(from).name + "/a" + std::to_string(bits);
    const ValueId to = g.add_value(name, DType::kF32, g.value(from).shape);
    g.nodes.push_back({Op::kRequantize, name, {}, {from}, {to}});
    placement_.activations.push_back({{to}, from, grid_of(bits)});
    return to;
  }

  static calibrate::GridSpec grid_of(int bits) {
    return {bits,
            bits == kWide ? numeric::RangeKind::kRestricted : numeric::RangeKind::kAsymmetric};
  }

  void collect_activations() {
    std::map<int, ActivationGrid> grids;
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      const ValueId id = static_cast<ValueId>(v);
      const int root = classes_.find(id);
      if (bits_[root] == 0 || !is_activation(id)) continue;
      if (uses_.producer[id] < 0 && uses_.readers[id].empty()) continue;
      grids[root].values.push_back(id);
    }
    for (auto& [root, grid] : grids) {
      grid.spec = grid_of(bits_[root]);
      grid.observe = source_of(grid.values);
      placement_.activations.push_back(std::move(grid));
    }
  }

  /// The value of a class whose numbers contain all the others': the result of its Concat, else the
  /// one that no member makes.
  ValueId source_of(const std::vector<ValueId>& values) {
    for (ValueId id : values) {
      const int p = uses_.producer[id];
      if (p >= 0 && graph_.nodes[p].op == Op::kConcat) return id;
    }
    for (ValueId id : values) {
      const int p = uses_.producer[id];
      if (p < 0 || !passes(static_cast<size_t>(p)) || !schemes_[p]) return id;
    }
    return values.front();
  }

  void place_weights() {
    Graph& g = placement_.graph;
    std::map<ValueId, int> owner;  // a constant that several nodes read gets a copy a node
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!schemes_[i] || !is_weighted(graph_, graph_.nodes[i])) continue;
      Node& node = g.nodes[i];
      if (!owner.try_emplace(node.inputs[1], static_cast<int>(i)).second) {
        const auto shared = g.value(node.inputs[1]).constant;
        const ValueId copy =
            g.add_value(g.value(node.inputs[1]).name, shared->dtype(), shared->shape());
        g.value(copy).constant = shared;
        node.inputs[1] = copy;
      }
      placement_.weights.push_back(weight_grid(static_cast<int>(i), node, *schemes_[i]));
    }
    // Node positions move when the graph is sorted: go by name.
    std::map<std::string, int> by_name;
    for (WeightGrid& w : placement_.weights) weight_names_.push_back(g.nodes[w.node].name);
    g.sort_nodes();
    for (size_t i = 0; i < g.nodes.size(); ++i) by_name[g.nodes[i].name] = static_cast<int>(i);
    for (size_t w = 0; w < placement_.weights.size(); ++w)
      placement_.weights[w].node = by_name[weight_names_[w]];
  }

  static calibrate::GridSpec weight_spec(const Scheme& s) {
    if (s.ternary) return calibrate::kTernary;
    const bool symmetric = s.symmetric.value_or(true);
    if (s.weight_bits == 1 && symmetric) return calibrate::kBinary;
    return {s.weight_bits, recipe::default_weight_range(s.weight_bits, symmetric)};
  }

  WeightGrid weight_grid(int index, const Node& node, const Scheme& s) {
    const Shape& shape = graph_.value(node.inputs[1]).shape;
    WeightGrid w{index, node.inputs[1], {}, numeric::Granularity::kChannel, 0, 0, 0};
    w.spec = weight_spec(s);
    switch (node.op) {
      case Op::kConv:
        w.axis = 0;
        w.block_axis = 1;
        break;
      case Op::kConvTranspose:
        w.axis = 1;
        w.block_axis = 0;
        break;
      case Op::kGemm:
        w.axis = node.attributes.get_int(graph::Attr::transB, 0) ? 0 : 1;
        w.block_axis = 1 - w.axis;
        break;
      default:  // MatMul [..., K, N]
        w.axis = shape.rank() - 1;
        w.block_axis = shape.rank() - 2;
        break;
    }
    w.granularity = weight_granularity(node, s);
    if (w.granularity == numeric::Granularity::kBlock) w.group = s.group;
    if (w.granularity == numeric::Granularity::kGroup) w.group = kChannelsPerGroup;
    if (s.group > 0 && w.granularity != numeric::Granularity::kBlock)
      placement_.notes.push_back(
          node.name + ": block scales need a Gemm, MatMul or 1x1 convolution; per channel instead");
    return w;
  }

  /// Blocks where the scheme asks for them and K is one run; else what the recipe says; else per
  /// channel.
  numeric::Granularity weight_granularity(const Node& node, const Scheme& s) const {
    const Shape& shape = graph_.value(node.inputs[1]).shape;
    if (shape.rank() == 1) return numeric::Granularity::kTensor;
    if (s.group > 0 && (node.op == Op::kGemm || (node.op == Op::kMatMul && shape.rank() == 2) ||
                        is_pointwise(node, shape)))
      return numeric::Granularity::kBlock;
    return recipe_.granularity.value_or(numeric::Granularity::kChannel);
  }

  static bool is_pointwise(const Node& node, const Shape& shape) {
    return node.op == Op::kConv && shape.size(2, shape.rank()) == 1 &&
           node.attributes.get_int(graph::Attr::group, 1) == 1;
  }

  const Graph& graph_;
  const recipe::Recipe& recipe_;
  graph::Uses uses_;
  std::vector<std::optional<Scheme>> schemes_;
  Classes classes_;
  std::vector<int> bits_;  // by class root; 0: stays float
  std::vector<Reader> readers_;
  std::vector<int> concats_, followers_;
  std::vector<std::string> weight_names_;
  Placement placement_;
};

}  // namespace

Placement place_quantizers(const Graph& graph, const recipe::Recipe& recipe) {
  return Placer(graph, recipe).run();
}

}  // namespace nibble::pipeline
