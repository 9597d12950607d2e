// Where(Less(x, t), -s, s) with constants, as our own exporter writes a binary grid (its metadata
// says so: another network's sign is a float op like any other): x on the binary grid of scale s. t
// is 0 or what keeps sums of exactly 0 apart (exporter/sign_threshold.h).

#include <algorithm>
#include <cmath>

#include "quant/importer/fold_qdq.h"

namespace nibble::importer {
namespace {

using graph::Graph;
using graph::Node;
using graph::Op;
using graph::ValueId;

const float* scalar(const Graph& graph, ValueId id) {
  const auto& constant = graph.value(id).constant;
  return constant && constant->dtype() == DType::kF32 && constant->size() == 1
             ? constant->span<float>().data()
             : nullptr;
}

class Folder {
 public:
  explicit Folder(Context& context) : context_(context), graph_(context.graph), uses_(graph_) {}

  void run() {
    dead_.assign(graph_.nodes.size(), 0);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) fold(i);
    size_t i = 0;
    std::erase_if(graph_.nodes, [&](const Node&) { return dead_[i++] != 0; });
  }

 private:
  bool is_ours(ValueId signs) const {
    const auto stated = context_.bits.find(graph_.value(signs).name);
    return stated != context_.bits.end() && stated->second == "1";
  }

  void fold(size_t index) {
    Node& where = graph_.nodes[index];
    if (where.op != Op::kWhere || !is_ours(where.outputs[0])) return;
    const ValueId negative = where.inputs[0], signs = where.outputs[0];
    const float* low = scalar(graph_, where.inputs[1]);
    const float* high = scalar(graph_, where.inputs[2]);
    if (!low || !high || !(*high > 0) || !std::isfinite(*high) || *low != -*high) return;
    const int before = uses_.producer[negative];
    if (before < 0 || uses_.readers[negative].size() != 1 || uses_.is_output[negative]) return;
    const Node& less = graph_.nodes[static_cast<size_t>(before)];
    if (less.op != Op::kLess || !graph_.is_constant(less.inputs[1])) return;
    const ValueId x = less.inputs[0];
    if (graph_.is_constant(x) || graph_.value(x).dtype != DType::kF32) return;

    numeric::QuantParams grid{.grid = numeric::GridId::kBinary, .bits = 1, .qmin = -1, .qmax = 1};
    grid.scales = {*high};
    dead_[static_cast<size_t>(before)] = 1;
    const bool alone = uses_.readers[x].size() == 1 && !uses_.is_output[x];
    const bool is_input =
        std::find(graph_.inputs.begin(), graph_.inputs.end(), x) != graph_.inputs.end();
    if (alone && !graph_.value(x).quant && !(is_input && uses_.is_output[signs])) {
      graph_.value(x).quant = graph::QuantInfo{grid, "imported QDQ"};
      graph_.replace_uses(signs, x);
      if (uses_.is_output[signs]) graph_.swap_names(x, signs);
      dead_[index] = 1;
      return;
    }
    // Read unquantised or on another grid as well: a copy.
    graph_.value(signs).quant = graph::QuantInfo{grid, "imported QDQ"};
    where = {Op::kRequantize, where.name, {}, {x}, {signs}};
  }

  Context& context_;
  Graph& graph_;
  graph::Uses uses_;
  std::vector<char> dead_;
};

}  // namespace

void fold_signs(Context& context) {
  Folder(context).run();
}

}  // namespace nibble::importer
