#include "quant/lower/explicit_grids.h"

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

#include "deploy/numeric/quantize.h"
#include "quant/graph/error.h"
#include "quant/lower/form.h"
#include "quant/lower/lower.h"

namespace nibble::lower {
namespace {

using graph::Attr;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Op;
using graph::QuantInfo;
using graph::Value;
using graph::ValueId;
using numeric::QuantParams;

/// The real numbers of a quantised constant, on its grid.
std::shared_ptr<const Tensor> on_own_grid(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  Tensor out(DType::kF32, value.shape);
  const auto done = numeric::fake_quantize(value.constant->view(), value.quant->params, out.view());
  throw_if_error(done.status(), ErrorKind::kInternal, graph.source, value.name);
  return std::make_shared<const Tensor>(std::move(out));
}

class Rewriter {
 public:
  explicit Rewriter(Graph graph) : g_(std::move(graph)), old_(std::exchange(g_.nodes, {})) {
    for (const Node& node : old_) names_.insert(node.name);
    renamed_.resize(g_.values.size());
    for (size_t i = 0; i < renamed_.size(); ++i) renamed_[i] = static_cast<ValueId>(i);
  }

  Graph run() {
    for (ValueId id : g_.inputs)
      if (g_.value(id).quant) quantize_input(id);
    for (Node& node : old_) {
      for (ValueId& id : node.inputs)
        if (id != kNoValue) id = renamed_[static_cast<size_t>(id)];
      rewrite(std::move(node));
    }
    g_.remove_dead_nodes();
    return std::move(g_);
  }

 private:
  void rewrite(Node node) {
    switch (verdict_of(g_, node).form) {
      case Form::kWeighted:
      case Form::kElementwise:
      case Form::kMatMul:
      case Form::kGlobalMean:
      case Form::kBookkeeping:
      case Form::kRows:
      case Form::kRealProduct:
        return emit(std::move(node));
      case Form::kDynamic:
        return dynamic(std::move(node));
      case Form::kRequantize:
        return requantize(std::move(node));
      case Form::kClamp:
        return clamp(std::move(node));
      case Form::kConcat:
        return concat(std::move(node));
      case Form::kMove:
      case Form::kAverage:
        return keeps_grid(std::move(node));
      case Form::kFloat:
        return island(std::move(node));
    }
    __builtin_unreachable();
  }

  void quantize_input(ValueId id) {
    const ValueId codes = add_like(id, g_.value(id).name + "_quantized");
    g_.value(codes).quant = std::exchange(g_.value(id).quant, std::nullopt);
    emit({Op::kRequantize, free_name(g_.value(codes).name), {}, {id}, {codes}});
    renamed_[static_cast<size_t>(id)] = codes;
  }

  void requantize(Node node) {
    const ValueId y = node.outputs[0];
    const QuantParams* from = tensor_grid(g_, node.inputs[0]);
    const QuantParams* to = tensor_grid(g_, y);
    const bool clips = node.attributes.has(Attr::clip_min) || node.attributes.has(Attr::clip_max);
    if (from && to && same_grid(*from, *to) && !clips && !is_output(y)) {
      renamed_[static_cast<size_t>(y)] = node.inputs[0];
    } else {
      emit(std::move(node));
    }
  }

  void clamp(Node node) {
    const Bounds bounds = *clamp_bounds(g_, node);
    node.op = Op::kRequantize;
    node.inputs.resize(1);
    if (bounds.lo) node.attributes.set(Attr::clip_min, *bounds.lo);
    if (bounds.hi) node.attributes.set(Attr::clip_max, *bounds.hi);
    emit(std::move(node));
  }

  void concat(Node node) {
    const QuantInfo grid = *g_.value(node.outputs[0]).quant;
    for (ValueId& id : node.inputs) id = on_grid(id, grid);
    emit(std::move(node));
  }

  /// `id`, on `grid`.
  ValueId on_grid(ValueId id, const QuantInfo& grid) {
    const QuantParams* have = tensor_grid(g_, id);
    if (have && same_grid(*have, grid.params)) return id;
    if (g_.is_constant(id)) {
      const ValueId copy = g_.add_value(g_.value(id).name, g_.value(id).dtype, g_.value(id).shape);
      g_.value(copy).constant = g_.value(id).quant ? on_own_grid(g_, id) : g_.value(id).constant;
      g_.value(copy).quant = grid;
      g_.value(copy).constant = on_own_grid(g_, copy);
      return copy;
    }
    for (const auto& [from, to] : requantized_)
      if (from == id && same_grid(g_.value(to).quant->params, grid.params)) return to;
    const ValueId to = add_like(id, g_.value(id).name + "_requantized");
    g_.value(to).quant = grid;
    emit({Op::kRequantize, free_name(g_.value(to).name), {}, {id}, {to}});
    requantized_.emplace_back(id, to);
    return to;
  }

  void keeps_grid(Node node) {
    const QuantInfo grid = *g_.value(node.inputs[0]).quant;
    if (node.op == Op::kPad) {
      node.inputs.resize(std::max<size_t>(node.inputs.size(), 3), kNoValue);
      static constexpr float kZero = 0;
      const ValueId given = node.inputs[2];
      const ValueId value =
          given == kNoValue
              ? g_.add_constant(node.name + "_value", Tensor::of<float>({}, std::span(&kZero, 1)))
              : g_.add_constant(g_.value(given).name + "_on_grid",
                                g_.value(given).constant->clone());
      g_.value(value).quant = grid;
      g_.value(value).constant = on_own_grid(g_, value);
      g_.value(value).quant.reset();
      node.inputs[2] = value;
    }
    std::vector<Node> after;
    for (ValueId& id : node.outputs) {
      if (id == kNoValue || same_grid(*tensor_grid(g_, id), grid.params)) continue;
      const ValueId y = std::exchange(id, add_like(id, g_.value(id).name + "_before"));
      g_.value(id).quant = grid;
      after.push_back({Op::kRequantize, free_name(g_.value(id).name), {}, {id}, {y}});
    }
    emit(std::move(node));
    for (Node& next : after) emit(std::move(next));
  }

  void island(Node node) {
    std::vector<Node> after;
    for (ValueId& id : node.outputs) {
      if (id == kNoValue || !g_.value(id).quant) continue;
      const ValueId y = std::exchange(id, add_like(id, g_.value(id).name + "_real"));
      after.push_back({Op::kRequantize, free_name(g_.value(y).name + "_quantize"), {}, {id}, {y}});
    }
    emit(std::move(node));
    for (Node& next : after) emit(std::move(next));
  }

  /// Codes and scales of the rows of `x`: one quantiser for all its readers.
  std::pair<ValueId, ValueId> rows_of(ValueId x) {
    const auto [it, is_new] = rows_.try_emplace(x);
    if (is_new) {
      const std::string name = g_.value(x).name;
      const Shape shape = g_.value(x).shape;
      const ValueId codes = g_.add_value(name + "_rows", DType::kI8, shape);
      const ValueId scales = g_.add_value(name + "_row_scales", DType::kF32,
                                          Shape(shape.dims().first(shape.rank() - 1)));
      emit({Op::kDynamicQuantize, free_name(name + "_rows"), {}, {x}, {codes, scales}});
      it->second = {codes, scales};
    }
    return it->second;
  }

  void dynamic(Node node) {
    RealWeights w = real_weights(g_, node);
    const int64_t n = w.values.shape()[0];
    const auto [codes, scales] = rows_of(node.inputs[0]);
    const ValueId weights = g_.add_constant(g_.value(node.inputs[1]).name, std::move(w.values));
    g_.value(weights).quant = QuantInfo{w.grid, g_.value(node.inputs[1]).quant->chosen_by};
    Node product{Op::kQGemmReal, node.name, {}, {codes, weights, scales}, node.outputs};
    for (Attr key : {Attr::clip_min, Attr::clip_max})
      if (node.attributes.has(key)) product.attributes.set(key, node.attributes.get_float(key, 0));
    product.attributes.set(Attr::block_size, w.block);
    if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) {
      const auto given = g_.value(node.inputs[2]).constant->span<float>();
      Tensor bias(DType::kF32, {n});
      for (int64_t i = 0; i < n; ++i) bias.span<float>()[i] = given[given.size() == 1 ? 0 : i];
      product.inputs.resize(5, kNoValue);
      product.inputs.push_back(
          g_.add_constant(g_.value(node.inputs[2]).name + "_by_channel", std::move(bias)));
    }
    island(std::move(product));  // reals, put on a grid where the result has one
  }

  ValueId add_like(ValueId id, const std::string& name) {
    return g_.add_value(name, g_.value(id).dtype, g_.value(id).shape);
  }
  bool is_output(ValueId id) const {
    return std::find(g_.outputs.begin(), g_.outputs.end(), id) != g_.outputs.end();
  }
  void emit(Node node) { g_.nodes.push_back(std::move(node)); }
  std::string free_name(const std::string& name) {
    std::string unique = name;
    for (int i = 1; !names_.insert(unique).second; ++i) unique = name + "_" + std::to_string(i);
    return unique;
  }

  Graph g_;
  std::vector<Node> old_;
  std::vector<ValueId> renamed_;  // what a value's readers read
  std::unordered_set<std::string> names_;
  std::vector<std::pair<ValueId, ValueId>> requantized_;
  std::map<ValueId, std::pair<ValueId, ValueId>> rows_;
};

}  // namespace

Graph explicit_grids(const Graph& annotated) {
  return Rewriter(channels_last(annotated)).run();
}

Graph simulation(const Graph& annotated) {
  Graph g = explicit_grids(annotated);
  std::map<ValueId, ValueId> real;
  for (Node& node : g.nodes) {
    if (verdict_of(g, node).form != Form::kFloat) continue;
    for (ValueId& id : node.inputs) {
      if (!g.is_constant(id) || !g.value(id).quant) continue;
      auto [it, is_new] = real.try_emplace(id, kNoValue);
      if (is_new) {
        it->second = g.add_value(g.value(id).name + "_real", DType::kF32, g.value(id).shape);
        g.value(it->second).constant = on_own_grid(g, id);
      }
      id = it->second;
    }
  }
  return g;
}

}  // namespace nibble::lower
