#include "quant/exporter/graph_writer.h"

#include <algorithm>

#include "quant/exporter/op_writer.h"
#include "quant/exporter/quant_nodes.h"
#include "quant/exporter/sign_threshold.h"
#include "quant/graph/error.h"

namespace nibble::exporter {
namespace {

using graph::Attr;
using graph::kNoValue;
using graph::Node;
using graph::Op;
using graph::ValueId;
using numeric::QuantParams;

class GraphWriter {
 public:
  GraphWriter(const graph::Graph& graph, int opset, onnx::ModelProto& model,
              std::vector<std::string>& notes)
      : graph_(graph),
        opset_(opset),
        proto_(*model.mutable_graph()),
        model_(model),
        notes_(notes),
        uses_(graph),
        builder_(proto_),
        quant_(builder_),
        names_(graph.values.size()) {}

  void write() {
    proto_.set_name("nibble");
    for (const graph::Value& value : graph_.values) builder_.unique_value(value.name);
    for (const Node& node : graph_.nodes) builder_.unique_node(node.name);
    for (const ValueId id : graph_.inputs) write_input(id);
    for (const Node& node : graph_.nodes) write_node(node);
    for (const ValueId id : graph_.outputs) {
      name_of(id);
      describe(graph_.value(id), *proto_.add_output());
    }
  }

 private:
  const QuantParams* grid_of(ValueId id) const {
    const auto& quant = graph_.value(id).quant;
    return quant ? &quant->params : nullptr;
  }

  void describe(const graph::Value& value, onnx::ValueInfoProto& info) const {
    info.set_name(value.name);
    auto& type = *info.mutable_type()->mutable_tensor_type();
    type.set_elem_type(static_cast<int32_t>(onnx::element_type_of(value.dtype)));
    auto& shape = *type.mutable_shape();
    for (int axis = 0; axis < value.shape.rank(); ++axis) {
      auto& dim = *shape.add_dim();
      if (value.shape[axis] != kUnknownDim)
        dim.set_dim_value(value.shape[axis]);
      else if (axis == 0)
        dim.set_dim_param("N");  // the batch, shared by all; other free dimensions stay nameless
    }
  }

  void write_input(ValueId id) {
    const graph::Value& value = graph_.value(id);
    describe(value, *proto_.add_input());
    names_[static_cast<size_t>(id)] = value.name;
    if (!value.quant) return;
    if (uses_.is_output[id])
      throw Error(ErrorKind::kModel,
                  "is a graph input, a graph output and quantised; ONNX cannot give both one name",
                  graph_.source, value.name);
    const Names names{value.name, builder_.unique_value(value.name + "_clipped"),
                      builder_.unique_value(value.name + "_dequantized")};
    write_pair(id, names, first_node(value), sign_threshold());
  }

  /// The name under which readers find a value. Constants are written when first read.
  const std::string& name_of(ValueId id) {
    std::string& name = names_[static_cast<size_t>(id)];
    if (!name.empty()) return name;
    const graph::Value& value = graph_.value(id);
    if (!value.constant)
      throw Error(ErrorKind::kInternal, "is read before it is made", graph_.source, value.name);
    name = value.name;
    if (!value.quant) {
      builder_.add_initializer(name, *value.constant);
      return name;
    }
    const QuantParams& params = value.quant->params;
    const Storage storage = storage_of(params, opset_).value();
    const bool ternary = params.grid == numeric::GridId::kTernary;
    if (onnx::info_of(storage.type).bits != params.bits)
      note_width(value.name, params, storage, "");
    // The file alone cannot say how many bits the codes need.
    if (ternary)
      state_bits(value.name, "T");
    else if (onnx::info_of(storage.type).bits != params.bits)
      state_bits(value.name, std::to_string(params.bits));
    quant_.constant(name, *value.constant, params, storage);
    return name;
  }

  void state_bits(const std::string& name, const std::string& bits) {
    auto& entry = *model_.add_metadata_props();
    entry.set_key("nibble.bits." + name);
    entry.set_value(bits);
  }

  void note_width(const std::string& name, const QuantParams& params, Storage storage,
                  const char* how) {
    notes_.push_back(name + ": " + std::to_string(params.bits) + "-bit codes stored as " +
                     std::string(onnx::info_of(storage.type).name) + how);
  }

  /// The stages of a quantised activation: what is there, the same inside the grid's codes (used
  /// where the stored type has more codes than the grid), and what readers see.
  struct Names {
    std::string raw, clipped, output;
  };

  bool needs_clip(ValueId id) const {
    return !is_written_as_signs(*grid_of(id)) && storage_of(*grid_of(id), opset_).value().wider;
  }

  /// Writes the stages after `names.raw`; the first of their nodes is called `node`. `threshold`:
  /// where the signs of a binary grid change.
  void write_pair(ValueId id, const Names& names, std::string node, const Tensor& threshold) {
    const graph::Value& value = graph_.value(id);
    const QuantParams& params = value.quant->params;
    names_[static_cast<size_t>(id)] = names.output;
    if (is_written_as_signs(params)) {
      notes_.push_back(value.name + ": 1-bit codes -1 and +1 written as Less and Where");
      state_bits(names.output, "1");
      return quant_.signs(value.name, node, names.raw, names.output, params, threshold);
    }
    if (params.granularity != numeric::Granularity::kTensor)
      throw Error(ErrorKind::kModel, "an activation with several scales cannot be written",
                  graph_.source, value.name);
    const Storage storage = storage_of(params, opset_).value();
    std::string input = names.raw;
    if (storage.wider) {
      if (onnx::info_of(storage.type).bits != params.bits)
        note_width(value.name, params, storage, " behind a Clip");
      quant_.clip_to_codes(names.raw, names.clipped, node, params);
      input = names.clipped;
      node = builder_.unique_node(value.name + "_QuantizeLinear");
    }
    quant_.pair(value.name, node, input, names.output, params, storage);
  }

  std::string first_node(const graph::Value& value) {
    const bool signs = is_written_as_signs(value.quant->params);
    return builder_.unique_node(value.name + (signs ? "_Where" : "_QuantizeLinear"));
  }

  /// The value's own name goes to what the graph must find under it when the file is read back: a
  /// graph output's last stage, else the last stage before the codes.
  Names stage_names(ValueId id) {
    const std::string& name = graph_.value(id).name;
    const bool is_output = uses_.is_output[id];
    Names names;
    names.output = is_output ? name : builder_.unique_value(name + "_dequantized");
    const std::string last = is_output ? builder_.unique_value(name + "_float") : name;
    const bool clip = needs_clip(id);
    names.clipped = last;
    names.raw = clip ? builder_.unique_value(name + "_unclipped") : last;
    return names;
  }

  static bool has_bounds(const Node& node) {
    return node.attributes.has(Attr::clip_min) || node.attributes.has(Attr::clip_max);
  }

  void write_node(const Node& node) {
    if (node.op == Op::kRequantize) return write_requantize(node);
    std::vector<std::string> inputs, outputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const bool unread = node.inputs[i] == kNoValue || becomes_attribute(node, i, opset_);
      inputs.push_back(unread ? "" : input_name(node, i));
    }
    std::vector<Names> stages;
    for (const ValueId id : node.outputs) {
      if (id == kNoValue)
        stages.push_back({});
      else if (grid_of(id))
        stages.push_back(stage_names(id));
      else
        stages.push_back({graph_.value(id).name, {}, {}});
      outputs.push_back(stages.back().raw);
    }
    if (has_bounds(node)) {
      outputs[0] = builder_.unique_value(graph_.value(node.outputs[0]).name + "_raw");
      write_op(graph_, node, inputs, outputs, opset_, builder_);
      write_bounds(node, outputs[0], stages[0].raw);
    } else {
      write_op(graph_, node, inputs, outputs, opset_, builder_);
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId id = node.outputs[i];
      if (id == kNoValue) continue;
      if (grid_of(id))
        write_pair(id, stages[i], first_node(graph_.value(id)), sign_threshold(graph_, node));
      else
        names_[static_cast<size_t>(id)] = stages[i].raw;
    }
  }

  /// Another grid for a value that has one: a second pair behind the first. Its node and value keep
  /// their names as above.
  void write_requantize(const Node& node) {
    const ValueId id = node.outputs[0];
    if (!grid_of(id))
      throw Error(ErrorKind::kInternal, "Requantize without a grid", graph_.source, node.name);
    const std::string& name = graph_.value(id).name;
    Names names{name_of(node.inputs[0]), name, name};
    if (has_bounds(node)) {
      const std::string bounded = builder_.unique_value(name + "_bounded");
      write_bounds(node, names.raw, bounded);
      names.raw = bounded;
    }
    if (needs_clip(id)) {
      if (uses_.is_output[id])
        names.clipped = builder_.unique_value(name + "_float");
      else
        names.output = builder_.unique_value(name + "_dequantized");
    }
    write_pair(id, names, node.name, sign_threshold(graph_, node));
  }

  std::string input_name(const Node& node, size_t index) {
    const ValueId id = node.inputs[index];
    if (index != 2) return name_of(id);
    const auto bias = integer_bias(graph_, node);
    if (!bias) return name_of(id);
    // The scale belongs to this node: a bias with several readers is written once for each.
    const bool sole = uses_.readers[id].size() == 1 && !uses_.is_output[id] &&
                      std::count(node.inputs.begin(), node.inputs.end(), id) == 1;
    const std::string& own = graph_.value(id).name;
    const std::string name = sole ? own : builder_.unique_value(own + "_" + node.name);
    quant_.bias(name, *bias);
    return name;
  }

  /// A fused activation as the op it came from.
  void write_bounds(const Node& node, const std::string& input, const std::string& output) {
    const bool has_low = node.attributes.has(Attr::clip_min);
    const bool has_high = node.attributes.has(Attr::clip_max);
    const float low = node.attributes.get_float(Attr::clip_min, 0.0f);
    const float high = node.attributes.get_float(Attr::clip_max, 0.0f);
    if (has_low && low == 0.0f && !has_high) {
      builder_.add_node("Relu", builder_.unique_node(node.name + "_Relu"), {input}, {output});
      return;
    }
    const auto bound = [&](bool present, const char* suffix, float x) -> std::string {
      if (!present) return "";
      const std::string name = builder_.unique_value(node.name + suffix);
      builder_.add_initializer(name, Tensor::of<float>({}, std::span(&x, 1)));
      return name;
    };
    std::vector<std::string> inputs = {input, bound(has_low, "_min", low),
                                       bound(has_high, "_max", high)};
    if (!has_high) inputs.pop_back();
    builder_.add_node("Clip", builder_.unique_node(node.name + "_Clip"), inputs, {output});
  }

  const graph::Graph& graph_;
  int opset_;
  onnx::GraphProto& proto_;
  onnx::ModelProto& model_;
  std::vector<std::string>& notes_;
  graph::Uses uses_;
  GraphBuilder builder_;
  QuantNodes quant_;
  std::vector<std::string> names_;  // of each value, for its readers; empty until written
};

}  // namespace

void write_graph(const graph::Graph& graph, int opset, onnx::ModelProto& model,
                 std::vector<std::string>& notes) {
  GraphWriter(graph, opset, model, notes).write();
}

}  // namespace nibble::exporter
