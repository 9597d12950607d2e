#include <unordered_set>

#include "quant/graph/error.h"
#include "quant/graph/graph.h"

namespace nibble::graph {
namespace {

class Verifier {
 public:
  Verifier(const Graph& graph, Phase phase) : graph_(graph), phase_(phase) {}

  void run() {
    names();
    ids();
    order();
    for (const Value& value : graph_.values) {
      if (!value.quant) continue;
      if (phase_ == Phase::kFloat) fail(value.name, "carries a grid in a float graph");
      grid(value);
    }
    if (phase_ == Phase::kInteger)
      for (const Node& node : graph_.nodes) integer_types(node);
  }

 private:
  [[noreturn]] void fail(const std::string& where, const std::string& what) const {
    throw Error(ErrorKind::kInternal, what, graph_.source, where);
  }

  void names() const {
    std::unordered_set<std::string> values, nodes;
    for (const Value& v : graph_.values)
      if (!values.insert(v.name).second) fail(v.name, "two values have this name");
    for (const Node& n : graph_.nodes)
      if (!nodes.insert(n.name).second) fail(n.name, "two nodes have this name");
  }

  bool valid(ValueId id) const { return id >= 0 && static_cast<size_t>(id) < graph_.values.size(); }

  void ids() const {
    for (const Node& node : graph_.nodes) {
      const model::OpInfo& info = model::info_of(node.op);
      const int n_in = static_cast<int>(node.inputs.size());
      const int n_out = static_cast<int>(node.outputs.size());
      if (n_in < info.min_inputs || (info.max_inputs >= 0 && n_in > info.max_inputs))
        fail(node.name, std::string(info.name) + " has " + std::to_string(n_in) +
                            " inputs, expected " + std::to_string(info.min_inputs) + " to " +
                            (info.max_inputs < 0 ? "any number" : std::to_string(info.max_inputs)));
      if (n_out < 1 || (info.max_outputs >= 0 && n_out > info.max_outputs))
        fail(node.name, std::string(info.name) + " has " + std::to_string(n_out) + " outputs");
      for (int i = 0; i < n_in; ++i)
        if (node.inputs[i] == kNoValue ? i < info.min_inputs : !valid(node.inputs[i]))
          fail(node.name, "input " + std::to_string(i) + " names no value");
      for (ValueId id : node.outputs)
        if (id != kNoValue && !valid(id)) fail(node.name, "an output names no value");
    }
    for (ValueId id : graph_.inputs)
      if (!valid(id)) fail("", "a graph input names no value");
    for (ValueId id : graph_.outputs)
      if (!valid(id)) fail("", "a graph output names no value");
  }

  void order() const {
    std::vector<char> made(graph_.values.size(), 0);
    for (ValueId id : graph_.inputs) made[id] = 1;
    for (size_t i = 0; i < graph_.values.size(); ++i)
      if (graph_.values[i].constant) {
        if (made[i]) fail(graph_.values[i].name, "is a constant and a graph input");
        made[i] = 1;
      }
    for (const Node& node : graph_.nodes) {
      for (ValueId id : node.inputs)
        if (id != kNoValue && !made[id])
          fail(node.name, "reads '" + graph_.value(id).name + "' before it is made");
      for (ValueId id : node.outputs) {
        if (id == kNoValue) continue;
        if (made[id]) fail(node.name, "'" + graph_.value(id).name + "' is made twice");
        made[id] = 1;
      }
    }
    for (ValueId id : graph_.outputs)
      if (!made[id]) fail(graph_.value(id).name, "is a graph output that nobody makes");
  }

  void grid(const Value& value) const {
    const Status status = numeric::check(value.quant->params, value.shape);
    if (!status.ok()) fail(value.name, status.message());
    if (phase_ == Phase::kAnnotated && value.dtype != DType::kF32)
      fail(value.name,
           "has a grid but holds " + std::string(name_of(value.dtype)) + ", expected f32");
    if (phase_ == Phase::kInteger && value.dtype == DType::kF32)
      fail(value.name, "has a grid in an integer graph but holds f32, expected codes");
  }

  void integer_types(const Node& node) const {
    switch (node.op) {
      case Op::kQConv:
      case Op::kQGemm:
      case Op::kQMatMul:
      case Op::kQAdd:
      case Op::kQMul:
      case Op::kRequantize: {
        const Value& in = graph_.value(node.inputs[0]);
        const Value& out = graph_.value(node.outputs[0]);
        if (in.dtype != DType::kI8 && in.dtype != DType::kI16 && in.dtype != DType::kU8)
          fail(node.name, "integer op reads " + std::string(name_of(in.dtype)));
        if (out.dtype != DType::kI8 && out.dtype != DType::kI16 && out.dtype != DType::kU8)
          fail(node.name, "integer op writes " + std::string(name_of(out.dtype)));
        break;
      }
      default:  // float islands: their operands must not be codes of a grid
        break;
    }
  }

  const Graph& graph_;
  Phase phase_;
};

}  // namespace

void verify(const Graph& graph, Phase phase) {
  Verifier(graph, phase).run();
}

}  // namespace nibble::graph
