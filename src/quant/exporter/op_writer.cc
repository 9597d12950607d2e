#include "quant/exporter/op_writer.h"

#include "quant/graph/error.h"

namespace nibble::exporter {
namespace {

using graph::Attr;
using graph::Graph;
using graph::Node;
using graph::Op;
using Names = std::vector<std::string>;

class OpWriter {
 public:
  OpWriter(const Graph& graph, const Node& node, int opset, GraphBuilder& builder)
      : graph_(graph), node_(node), opset_(opset), builder_(builder) {}

  void write(Names inputs, const Names& outputs) {
    if (node_.attributes.get_int(Attr::channels_last, 0) != 0) fail("is in channels-last layout");
    switch (node_.op) {
      case Op::kRequantize:
      case Op::kQConv:
      case Op::kQGemm:
      case Op::kQMatMul:
      case Op::kQAdd:
      case Op::kQMul:
      case Op::kDynamicQuantize:
      case Op::kQGemmReal:
        fail("is an op on integer codes, for which ONNX's is QuantizeLinear/DequantizeLinear");
      case Op::kSwish:
        if (opset_ < 24) return swish(inputs, outputs);
        break;
      case Op::kSoftmax:
      case Op::kLogSoftmax:
        if (node_.attributes.get_int(Attr::flatten_from_axis, 0) != 0)
          return flattened_softmax(inputs, outputs);
        break;
      case Op::kReduceMean:
      case Op::kReduceMax:
      case Op::kReduceMin:
      case Op::kReduceProd:
        if (becomes_attribute(node_, 1, opset_)) return reduce_with_attribute(inputs, outputs);
        break;
      case Op::kConstantOfShape:
        return constant_of_shape(inputs, outputs);
      case Op::kQuantizeLinear:
        bound_codes(inputs);
        break;
      default:
        break;
    }
    auto& out = add(inputs, outputs);
    copy_attributes(out);
    if (node_.op == Op::kQuantizeLinear && inputs.size() < 3 && opset_ >= 21)
      GraphBuilder::set_int(
          out, "output_dtype",
          static_cast<int64_t>(onnx::element_type_of(graph_.value(node_.outputs[0]).dtype)));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kModel,
                std::string(model::name_of(node_.op)) + ": cannot be written: " + what,
                graph_.source, node_.name);
  }

  onnx::NodeProto& add(const Names& inputs, const Names& outputs) {
    return builder_.add_node(std::string(model::name_of(node_.op)), node_.name, inputs, outputs);
  }

  bool is_written(Attr key) const {
    switch (key) {
      case Attr::clip_min:
      case Attr::clip_max:
      case Attr::channels_last:
      case Attr::flatten_from_axis:
      case Attr::binary:
      case Attr::y_min:
      case Attr::y_max:
      case Attr::dynamic:
        return false;
      case Attr::num_outputs:
        return opset_ >= 18;
      case Attr::noop_with_empty_axes:
        return opset_ >= 18 || node_.op == Op::kReduceSum;
      case Attr::allowzero:
        return opset_ >= 14;
      default:
        return true;
    }
  }

  void copy_attributes(onnx::NodeProto& out) {
    for (const auto& [key, value] : node_.attributes.entries()) {
      if (!is_written(key)) continue;
      const std::string name(model::name_of(key));
      if (key == Attr::to) {
        const auto dtype = static_cast<DType>(std::get<int64_t>(value));
        GraphBuilder::set_int(out, name, static_cast<int64_t>(onnx::element_type_of(dtype)));
        continue;
      }
      switch (model::kind_of(key)) {
        case model::AttrKind::kInt:
          GraphBuilder::set_int(out, name, std::get<int64_t>(value));
          break;
        case model::AttrKind::kFloat:
          GraphBuilder::set_float(out, name, std::get<float>(value));
          break;
        case model::AttrKind::kInts:
          GraphBuilder::set_ints(out, name, std::get<std::vector<int64_t>>(value));
          break;
        case model::AttrKind::kString:
          GraphBuilder::set_string(out, name, std::get<std::string>(value));
          break;
        case model::AttrKind::kFloats:
          fail("attribute '" + name + "' is not ONNX's");
      }
    }
  }

  std::string value(const char* suffix) { return builder_.unique_value(node_.name + "_" + suffix); }
  std::string helper(const char* suffix) { return builder_.unique_node(node_.name + "_" + suffix); }

  /// x sigmoid(alpha x), until opset 24 has the op.
  void swish(const Names& inputs, const Names& outputs) {
    const float alpha = node_.attributes.get_float(Attr::alpha, 1.0f);
    std::string x = inputs[0];
    if (alpha != 1.0f) {
      const std::string factor = value("alpha"), scaled = value("scaled");
      builder_.add_initializer(factor, Tensor::of<float>({}, std::span(&alpha, 1)));
      builder_.add_node("Mul", helper("scale"), {x, factor}, {scaled});
      x = scaled;
    }
    const std::string gate = value("gate");
    builder_.add_node("Sigmoid", helper("Sigmoid"), {x}, {gate});
    builder_.add_node("Mul", node_.name, {inputs[0], gate}, outputs);
  }

  /// One row from `axis` on: flatten, normalise the last axis, restore the shape.
  void flattened_softmax(const Names& inputs, const Names& outputs) {
    const std::string op(model::name_of(node_.op));
    const int rank = graph_.value(node_.inputs[0]).shape.rank();
    const int64_t axis = node_.attributes.get_int(Attr::axis, 1);
    if (axis == rank - 1 || axis == -1) {
      GraphBuilder::set_int(builder_.add_node(op, node_.name, inputs, outputs), "axis", -1);
      return;
    }
    const std::string rows = value("rows"), result = value("result"), shape = value("shape");
    GraphBuilder::set_int(builder_.add_node("Flatten", helper("Flatten"), inputs, {rows}), "axis",
                          axis);
    GraphBuilder::set_int(builder_.add_node(op, node_.name, {rows}, {result}), "axis", -1);
    builder_.add_node("Shape", helper("Shape"), inputs, {shape});
    builder_.add_node("Reshape", helper("Reshape"), {result, shape}, outputs);
  }

  /// Axes were an attribute until opset 18; choose_opset has made sure that they are constant.
  void reduce_with_attribute(const Names& inputs, const Names& outputs) {
    auto& out = add({inputs[0]}, outputs);
    if (node_.inputs.size() > 1 && node_.inputs[1] != graph::kNoValue) {
      const Tensor& axes = *graph_.value(node_.inputs[1]).constant;
      if (axes.size() > 0) GraphBuilder::set_ints(out, "axes", axes.span<int64_t>());
    }
    copy_attributes(out);
  }

  void constant_of_shape(const Names& inputs, const Names& outputs) {
    auto& out = add({inputs[0]}, outputs);
    if (node_.inputs.size() < 2 || node_.inputs[1] == graph::kNoValue) return;
    const auto& fill = graph_.value(node_.inputs[1]).constant;
    if (!fill) fail("the value is computed");
    GraphBuilder::set_tensor(out, "value", *fill);
  }

  /// Codes narrower than their container: the bounds become a Clip of the real numbers.
  void bound_codes(Names& inputs) {
    if (!node_.attributes.has(Attr::y_min) && !node_.attributes.has(Attr::y_max)) return;
    const auto& scale = graph_.value(node_.inputs[1]).constant;
    const bool has_zero = node_.inputs.size() > 2 && node_.inputs[2] != graph::kNoValue;
    const auto zero_point = has_zero ? graph_.value(node_.inputs[2]).constant : nullptr;
    if (!scale || scale->size() != 1 || (has_zero && !zero_point))
      fail("narrow codes with scales that are computed or several");
    int64_t zero = 0;
    if (zero_point)
      visit_dtype(zero_point->dtype(), [&]<class T>(std::type_identity<T>) {
        zero = static_cast<int64_t>(zero_point->span<T>()[0]);
      });
    const auto real = [&](Attr key, const char* name) {
      const int64_t code = node_.attributes.get_int(key, 0);
      const float x = scale->span<float>()[0] * static_cast<float>(code - zero);
      const std::string constant = value(name);
      builder_.add_initializer(constant, Tensor::of<float>({}, std::span(&x, 1)));
      return constant;
    };
    const std::string low = real(Attr::y_min, "min"), high = real(Attr::y_max, "max");
    const std::string clipped = value("clipped");
    builder_.add_node("Clip", helper("Clip"), {inputs[0], low, high}, {clipped});
    inputs[0] = clipped;
  }

  const Graph& graph_;
  const Node& node_;
  int opset_;
  GraphBuilder& builder_;
};

}  // namespace

bool becomes_attribute(const Node& node, size_t index, int opset) {
  if (index != 1) return false;
  switch (node.op) {
    case Op::kConstantOfShape:
      return true;
    case Op::kReduceMean:
    case Op::kReduceMax:
    case Op::kReduceMin:
    case Op::kReduceProd:
      return opset < 18;
    default:
      return false;
  }
}

void write_op(const Graph& graph, const Node& node, const Names& inputs, const Names& outputs,
              int opset, GraphBuilder& builder) {
  OpWriter(graph, node, opset, builder).write(inputs, outputs);
}

}  // namespace nibble::exporter
