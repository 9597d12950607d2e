#include "quant/lower/integer_graph.h"

#include <algorithm>
#include <utility>

#include "quant/graph/error.h"
#include "quant/lower/form.h"

namespace nibble::lower {

using graph::Attr;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Op;
using graph::Value;
using graph::ValueId;

IntegerGraph::IntegerGraph(const Graph& source)
    : source_(source),
      codes_(source.values.size(), kNoValue),
      plain_(source.values.size(), kNoValue),
      is_output_(source.values.size(), 0) {
  out_.source = source.source;
  out_.phase = graph::Phase::kInteger;
  out_.requantise = source.requantise;
  out_.metadata = source.metadata;
  for (const Node& node : source.nodes) node_names_.insert(node.name);
  for (ValueId id : source.outputs) is_output_[id] = 1;
  for (ValueId id : source.inputs) out_.inputs.push_back(make_plain(id));
}

ValueId IntegerGraph::make_codes(ValueId id) {
  const Value& value = source_.value(id);
  const Stored grid = stored(value.quant->params);
  const ValueId made =
      out_.add_value(is_output_[id] ? value.name + "_codes" : value.name, grid.dtype, value.shape);
  out_.value(made).quant = graph::QuantInfo{grid.params, value.quant->chosen_by};
  return codes_[id] = made;
}

ValueId IntegerGraph::make_plain(ValueId id) {
  const Value& value = source_.value(id);
  return plain_[id] = out_.add_value(value.name, value.dtype, value.shape);
}

ValueId IntegerGraph::codes(ValueId id) {
  if (codes_[id] != kNoValue) return codes_[id];
  const Value& value = source_.value(id);
  if (!value.constant)
    throw Error(ErrorKind::kInternal,
                "the codes of '" + value.name + "' are read before they are made", source_.source);
  const Stored grid = stored(value.quant->params);
  std::vector<int32_t> codes = codes_of(source_, id);
  const int32_t shift = value.quant->params.qmin - grid.params.qmin;
  for (int32_t& q : codes) q -= shift;
  const ValueId made = make_codes(id);
  out_.value(made).constant =
      std::make_shared<const Tensor>(pack_codes(codes, grid.dtype, value.shape));
  return made;
}

ValueId IntegerGraph::plain(ValueId id) {
  if (id == kNoValue || plain_[id] != kNoValue) return id == kNoValue ? id : plain_[id];
  const Value& value = source_.value(id);
  if (value.constant && !value.quant) {
    const ValueId made = make_plain(id);
    out_.value(made).constant = value.constant;
    return made;
  }
  if (value.constant) return dequantized_constant(id);
  if (codes_[id] == kNoValue)
    throw Error(ErrorKind::kInternal, "'" + value.name + "' is read before it is made",
                source_.source);
  const Value codes = out_.value(codes_[id]);
  const ValueId made = plain_[id] =
      out_.add_value(is_output_[id] ? value.name : value.name + "_real", value.dtype, value.shape);
  const auto [scale, zero] =
      scale_and_zero(value.name, {codes.dtype, codes.quant->params}, codes.shape);
  Node node{Op::kDequantizeLinear,
            free_node_name(value.name + "_dequantize"),
            {},
            {codes_[id], scale, zero},
            {made}};
  if (codes.quant->params.granularity != numeric::Granularity::kTensor)
    node.attributes.set(Attr::axis, int64_t{codes.quant->params.axis});
  emit(std::move(node));
  return made;
}

/// Weights of an island are stored as codes.
ValueId IntegerGraph::dequantized_constant(ValueId id) {
  const Value& value = source_.value(id);
  const numeric::QuantParams& grid = value.quant->params;
  const DType dtype = grid.bits > 8 ? (grid.is_signed() ? DType::kI16 : DType::kU16)
                                    : (grid.is_signed() ? DType::kI8 : DType::kU8);
  const ValueId codes = out_.add_value(value.name, dtype, value.shape);
  out_.value(codes).constant =
      std::make_shared<const Tensor>(pack_codes(codes_of(source_, id), dtype, value.shape));
  out_.value(codes).quant = value.quant;
  const ValueId made = plain_[id] = out_.add_value(value.name + "_real", value.dtype, value.shape);
  Node node{Op::kDequantizeLinear, free_node_name(value.name + "_dequantize"), {}, {codes}, {made}};
  const auto [scale, zero] = scale_and_zero(value.name, {dtype, grid}, value.shape);
  node.inputs.push_back(scale);
  node.inputs.push_back(zero);
  if (grid.granularity == numeric::Granularity::kBlock) {
    node.attributes.set(Attr::axis, int64_t{grid.block_axis});
    node.attributes.set(Attr::block_size, grid.group);
  } else if (grid.granularity != numeric::Granularity::kTensor) {
    node.attributes.set(Attr::axis, int64_t{grid.axis});
  }
  emit(std::move(node));
  return made;
}

void IntegerGraph::quantize(const std::string& name, ValueId x, ValueId id) {
  const ValueId y = make_codes(id);
  const Value codes = out_.value(y);
  const numeric::QuantParams& grid = codes.quant->params;
  if (grid.granularity != numeric::Granularity::kTensor &&
      grid.granularity != numeric::Granularity::kChannel)
    throw Error(ErrorKind::kModel,
                "'" + source_.value(id).name +
                    "' has scales by group or block, expected one, or one "
                    "a channel, for an activation",
                source_.source, name);
  const auto [scale, zero] =
      scale_and_zero(source_.value(id).name, {codes.dtype, grid}, codes.shape);
  Node node{Op::kQuantizeLinear, name, {}, {x, scale, zero}, {y}};
  if (grid.granularity == numeric::Granularity::kChannel)
    node.attributes.set(Attr::axis, int64_t{grid.axis});
  // Narrow grids do not fill their container.
  node.attributes.set(Attr::y_min, int64_t{grid.qmin});
  node.attributes.set(Attr::y_max, int64_t{grid.qmax});
  if (is_binary(grid)) node.attributes.set(Attr::binary, int64_t{1});
  emit(std::move(node));
}

std::pair<ValueId, ValueId> IntegerGraph::scale_and_zero(const std::string& name,
                                                         const Stored& grid, const Shape& shape) {
  ScaleTensors scales = scale_tensors(grid.params, grid.dtype, shape);
  const ValueId scale = constant(name + "_scale", std::move(scales.scale));
  return {scale, constant(name + "_zero_point", std::move(scales.zero))};
}

void IntegerGraph::set_output(Node& node, ValueId id) const {
  const Stored grid = stored(source_.value(id).quant->params);
  const CodeBounds bounds = code_bounds(node.attributes, grid.params);
  node.attributes.erase(Attr::clip_min);
  node.attributes.erase(Attr::clip_max);
  node.attributes.set(Attr::y_zero, int64_t{grid.params.zero_point(0)});
  node.attributes.set(Attr::y_min, int64_t{bounds.lo});
  node.attributes.set(Attr::y_max, int64_t{bounds.hi});
  node.attributes.set(Attr::to, static_cast<int64_t>(grid.dtype));
  if (is_binary(grid.params)) node.attributes.set(Attr::binary, int64_t{1});
}

void IntegerGraph::set_zero_points(Node& node, ValueId x, ValueId b) const {
  node.attributes.set(Attr::x_zero, int64_t{stored(*tensor_grid(source_, x)).params.zero_point(0)});
  if (b != kNoValue)
    node.attributes.set(Attr::b_zero,
                        int64_t{stored(*tensor_grid(source_, b)).params.zero_point(0)});
}

Graph IntegerGraph::finish() {
  for (ValueId id : source_.outputs) out_.outputs.push_back(plain(id));
  out_.remove_dead_nodes();
  return std::move(out_);
}

std::string IntegerGraph::free_node_name(const std::string& name) {
  std::string unique = name;
  for (int i = 1; !node_names_.insert(unique).second; ++i) unique = name + "_" + std::to_string(i);
  return unique;
}

void check_multiplier(const Graph& graph, const Node& node, double m) {
  if (m >= 0 && m < numeric::kMultiplierLimit) return;
  throw Error(ErrorKind::kModel,
              "requantisation factor " + std::to_string(m) + ", expected less than 2^29",
              graph.source, node.name);
}

void set_multiplier(const Graph& graph, Node& node, double m) {
  check_multiplier(graph, node, m);
  if (graph.requantise == graph::RequantiseVariant::kFloat) {
    node.attributes.set(Attr::multiplier, std::vector<float>{static_cast<float>(m)});
  } else {
    const numeric::FixedMultiplier fixed = numeric::to_fixed(m);
    node.attributes.set(Attr::fixed_multiplier, std::vector<int64_t>{fixed.m0});
    node.attributes.set(Attr::fixed_exponent, std::vector<int64_t>{fixed.exponent});
  }
}

}  // namespace nibble::lower
