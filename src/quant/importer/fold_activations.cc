// QuantizeLinear/DequantizeLinear pairs on activations.

#include <algorithm>
#include <map>

#include "quant/importer/fold_qdq.h"
#include "quant/importer/node_grid.h"

namespace nibble::importer {
namespace {

using graph::Op;
using graph::QuantInfo;
using graph::ValueId;
using numeric::QuantParams;

/// A QuantizeLinear whose codes nobody reads but DequantizeLinear nodes with its own grid.
struct Pair {
  QuantParams grid;
  std::vector<int> readers;  // DequantizeLinear nodes
};

class Folder {
 public:
  explicit Folder(Context& context) : context_(context), graph_(context.graph), uses_(graph_) {}

  void run() {
    for (int i = 0; i < static_cast<int>(graph_.nodes.size()); ++i)
      if (auto pair = find_pair(i)) pairs_.emplace(i, std::move(*pair));
    dead_.assign(graph_.nodes.size(), 0);
    for (const auto& [index, pair] : pairs_) fold(index, pair);
    std::vector<graph::Node> kept;
    for (size_t i = 0; i < graph_.nodes.size(); ++i)
      if (!dead_[i]) kept.push_back(std::move(graph_.nodes[i]));
    graph_.nodes = std::move(kept);
  }

 private:
  graph::Node& node(int index) { return graph_.nodes[static_cast<size_t>(index)]; }

  std::optional<Pair> find_pair(int index) {
    const graph::Node& q = node(index);
    if (q.op != Op::kQuantizeLinear || uses_.is_output[q.outputs[0]]) return std::nullopt;
    const graph::Value& x = graph_.value(q.inputs[0]);
    if (x.dtype != DType::kF32) return std::nullopt;
    auto grid = grid_of_node(q, x.shape, context_);
    if (!grid || grid->granularity != numeric::Granularity::kTensor) return std::nullopt;
    Pair pair{std::move(*grid), uses_.readers[q.outputs[0]]};
    int outputs = 0;  // of the graph
    for (const int reader : pair.readers) {
      const graph::Node& dq = node(reader);
      if (dq.op != Op::kDequantizeLinear || dq.inputs[0] != q.outputs[0]) return std::nullopt;
      if (grid_of_node(dq, x.shape, context_) != pair.grid) return std::nullopt;
      outputs += uses_.is_output[dq.outputs[0]];
    }
    if (pair.readers.empty() || outputs > 1) return std::nullopt;
    return pair;
  }

  /// True when every reader of the raw activation quantises it to `grid`.
  bool always_read_on(const QuantParams& grid, ValueId x) const {
    if (uses_.is_output[x]) return false;
    return std::all_of(uses_.readers[x].begin(), uses_.readers[x].end(), [&](int reader) {
      const auto it = pairs_.find(reader);
      return it != pairs_.end() && it->second.grid == grid;
    });
  }

  void fold(int index, const Pair& pair) {
    const ValueId x = node(index).inputs[0];
    // One output for all readers; the one that is a graph output, if any, since its name stays.
    ValueId out = node(pair.readers[0]).outputs[0];
    for (const int reader : pair.readers)
      if (uses_.is_output[node(reader).outputs[0]]) out = node(reader).outputs[0];
    for (const int reader : pair.readers) {
      graph_.replace_uses(node(reader).outputs[0], out);
      dead_[static_cast<size_t>(reader)] = 1;
    }
    const bool is_output = uses_.is_output[out];
    const auto& quant = graph_.value(x).quant;
    const bool fresh = !quant && always_read_on(pair.grid, x);
    if ((fresh || (quant && quant->params == pair.grid)) && !(is_output && pinned(x))) {
      graph_.value(x).quant = QuantInfo{pair.grid, "imported QDQ"};
      graph_.replace_uses(out, x);
      if (is_output) graph_.swap_names(x, out);
      dead_[static_cast<size_t>(index)] = 1;
      return;
    }
    // Read unquantised or on another grid as well: a copy.
    graph_.value(out).quant = QuantInfo{pair.grid, "imported QDQ"};
    node(index) = {Op::kRequantize, node(index).name, {}, {x}, {out}};
  }

  /// Whether the name of `x` is fixed: by the graph's inputs, or by an output it has become.
  bool pinned(ValueId x) const {
    const auto has = [x](const auto& list) {
      return std::find(list.begin(), list.end(), x) != list.end();
    };
    return has(graph_.inputs) || has(graph_.outputs);
  }

  Context& context_;
  graph::Graph& graph_;
  graph::Uses uses_;
  std::map<int, Pair> pairs_;  // by node index: topological order
  std::vector<char> dead_;
};

}  // namespace

void fold_activations(Context& context) {
  Folder(context).run();
}

bool fold_qdq(Context& context) {
  fold_constants(context);
  fold_activations(context);
  fold_signs(context);
  fold_clips(context.graph);
  return std::any_of(context.graph.values.begin(), context.graph.values.end(),
                     [](const graph::Value& value) { return value.quant.has_value(); });
}

}  // namespace nibble::importer
