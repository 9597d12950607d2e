#include "quant/importer/graph_reader.h"

#include <map>
#include <unordered_map>
#include <unordered_set>

#include "quant/graph/error.h"
#include "quant/importer/constant_node.h"
#include "quant/importer/importer.h"
#include "quant/importer/rules.h"
#include "quant/importer/tensor_reader.h"

namespace nibble::importer {
namespace {

using graph::kNoValue;

bool is_constant_node(const onnx::NodeProto& node) {
  return node.op_type() == "Constant" && (node.domain().empty() || node.domain() == "ai.onnx");
}

class GraphReader {
 public:
  GraphReader(onnx::GraphProto& proto, Context& context) : proto_(proto), context_(context) {}

  void read() {
    name_nodes();
    check_ops();
    if (proto_.sparse_initializer_size() > 0) fail("sparse initialisers are not supported");
    read_initialisers();
    read_inputs();
    collect_reads();
    declare_outputs();
    for (int i = 0; i < proto_.node_size(); ++i)
      if (!is_constant_node(proto_.node(i))) read_node(i);
    for (const auto& output : proto_.output()) {
      const auto it = values_.find(output.name());
      if (it == values_.end()) fail("graph output '" + output.name() + "' is made by no node");
      context_.graph.outputs.push_back(it->second);
    }
    if (context_.graph.outputs.empty()) fail("the graph has no outputs");
  }

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& node = {}) const {
    throw Error(ErrorKind::kModel, what, context_.graph.source, node);
  }

  /// Given names first: they keep their spelling.
  void name_nodes() {
    names_.resize(static_cast<size_t>(proto_.node_size()));
    for (const bool given : {true, false})
      for (int i = 0; i < proto_.node_size(); ++i) {
        const onnx::NodeProto& node = proto_.node(i);
        if (node.name().empty() == given) continue;
        names_[static_cast<size_t>(i)] = context_.unique_node_name(
            given ? node.name() : node.op_type() + "_" + std::to_string(i));
      }
  }

  void check_ops() const {
    std::map<std::string, std::vector<std::string>> unknown;  // op -> nodes
    for (int i = 0; i < proto_.node_size(); ++i) {
      const onnx::NodeProto& node = proto_.node(i);
      if (is_constant_node(node) || find_rule(node.domain(), node.op_type())) continue;
      const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
      unknown[standard ? node.op_type() : node.domain() + "::" + node.op_type()].push_back(
          names_[static_cast<size_t>(i)]);
    }
    if (!unknown.empty()) throw UnknownOps({unknown.begin(), unknown.end()}, context_.graph.source);
  }

  void declare(const std::string& name, ValueId id, const std::string& node = {}) {
    if (!values_.emplace(name, id).second) fail("value '" + name + "' is made twice", node);
  }

  void add_constant(const std::string& name, StoredTensor stored, const std::string& node = {}) {
    const ValueId id = context_.graph.add_constant(name, std::move(stored.tensor));
    context_.stored[id] = stored.stored;
    declare(name, id, node);
  }

  void read_initialisers() {
    for (auto& tensor : *proto_.mutable_initializer()) {
      if (tensor.name().empty()) fail("an initialiser has no name");
      add_constant(tensor.name(), read_tensor(tensor, context_.graph.source, context_.external));
      tensor.Clear();
    }
  }

  void read_inputs() {
    for (const auto& input : proto_.input()) {
      if (values_.count(input.name())) {
        // Before IR version 4 initialisers were listed as inputs too.
        if (context_.graph.is_constant(values_[input.name()])) continue;
        fail("graph input '" + input.name() + "' appears twice");
      }
      if (input.name().empty()) fail("a graph input has no name");
      const ValueId id =
          context_.graph.add_value(input.name(), input_dtype(input), input_shape(input));
      declare(input.name(), id);
      context_.stored[id] = static_cast<onnx::ElementType>(input.type().tensor_type().elem_type());
      context_.graph.inputs.push_back(id);
    }
  }

  DType input_dtype(const onnx::ValueInfoProto& input) const {
    if (!input.type().has_tensor_type())
      fail("graph input '" + input.name() + "' is not a tensor with a known type");
    const int32_t number = input.type().tensor_type().elem_type();
    const auto* info = onnx::info_of(number);
    if (!info || !info->dtype)
      fail("graph input '" + input.name() + "' has element type " +
           (info ? std::string(info->name) : std::to_string(number)) + ", which is not supported");
    return *info->dtype;
  }

  Shape input_shape(const onnx::ValueInfoProto& input) const {
    if (!input.type().tensor_type().has_shape())
      fail("graph input '" + input.name() + "' has no shape");
    Shape shape;
    for (const auto& dim : input.type().tensor_type().shape().dim()) {
      if (shape.rank() == kMaxRank)
        fail("graph input '" + input.name() + "' has more than " + std::to_string(kMaxRank) +
             " dimensions");
      // Some exporters write -1 for a dimension that is free.
      const bool known = dim.has_dim_value() && dim.dim_value() != -1;
      if (known && dim.dim_value() < 0)
        fail("graph input '" + input.name() + "' has dimension " + std::to_string(dim.dim_value()));
      shape.push_back(known ? dim.dim_value() : kUnknownDim);
    }
    return shape;
  }

  void collect_reads() {
    for (const auto& node : proto_.node())
      for (const auto& name : node.input())
        if (!name.empty()) read_.insert(name);
    for (const auto& output : proto_.output()) read_.insert(output.name());
  }

  /// Values of all nodes before any node is read, so that a name which nothing makes is told from
  /// a list that is not sorted. Constant nodes become constants here.
  void declare_outputs() {
    for (int i = 0; i < proto_.node_size(); ++i) {
      const onnx::NodeProto& node = proto_.node(i);
      const std::string& label = names_[static_cast<size_t>(i)];
      if (is_constant_node(node)) {
        if (node.output_size() != 1 || node.output(0).empty())
          fail("Constant: found " + std::to_string(node.output_size()) + " outputs, expected 1",
               label);
        add_constant(node.output(0), read_constant_node(node, context_), label);
        continue;
      }
      for (const auto& name : node.output())
        if (!name.empty()) declare(name, context_.graph.add_value(name, DType::kF32, {}), label);
    }
  }

  void read_node(int index) {
    const onnx::NodeProto& node = proto_.node(index);
    const Rule& rule = *find_rule(node.domain(), node.op_type());
    NodeDraft draft(node, names_[static_cast<size_t>(index)], context_);
    draft.op = rule.op;
    for (const auto& name : node.input()) {
      const auto it = values_.find(name);
      if (!name.empty() && it == values_.end())
        draft.fail("input '" + name + "' is made by no node and is no input or initialiser");
      draft.inputs.push_back(name.empty() ? kNoValue : it->second);
    }
    // Optional outputs come last: those that nobody reads are as good as absent.
    int outputs = node.output_size();
    if (rule.op != Op::kSplit)
      while (outputs > 1 && !read_.count(node.output(outputs - 1))) --outputs;
    for (int i = 0; i < outputs; ++i) {
      const std::string& name = node.output(i);
      draft.outputs.push_back(
          name.empty() ? context_.graph.add_value(draft.name() + "_output_" + std::to_string(i),
                                                  DType::kF32, {})
                       : values_.at(name));
    }
    if (draft.outputs.empty()) draft.fail("has no outputs");
    for (const auto key : rule.ignored) draft.ignore(key);
    if (rule.adapt) rule.adapt(draft);
    draft.finish(rule.attributes);
  }

  onnx::GraphProto& proto_;
  Context& context_;
  std::vector<std::string> names_;  // of the nodes, by position
  std::unordered_map<std::string, ValueId> values_;
  std::unordered_set<std::string> read_;
};

}  // namespace

void read_graph(onnx::GraphProto& proto, Context& context) {
  GraphReader(proto, context).read();
}

}  // namespace nibble::importer
