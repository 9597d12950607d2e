#include "quant/exporter/graph_builder.h"

namespace nibble::exporter {
namespace {

onnx::AttributeProto& add(onnx::NodeProto& node, const std::string& key,
                          onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(key);
  attribute.set_type(type);
  return attribute;
}

void set_header(onnx::TensorProto& proto, const std::string& name, const Shape& shape,
                onnx::ElementType type) {
  proto.set_name(name);
  for (const int64_t dim : shape.dims()) proto.add_dims(dim);
  proto.set_data_type(static_cast<int32_t>(type));
}

void fill(onnx::TensorProto& proto, const std::string& name, const Tensor& tensor) {
  set_header(proto, name, tensor.shape(), onnx::element_type_of(tensor.dtype()));
  proto.set_raw_data(tensor.data(), tensor.bytes());
}

}  // namespace

std::string GraphBuilder::unique(std::unordered_set<std::string>& taken,
                                 const std::string& wanted) {
  std::string name = wanted;
  for (int i = 1; !taken.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
  return name;
}

void GraphBuilder::add_initializer(const std::string& name, const Tensor& tensor) {
  fill(*graph_.add_initializer(), name, tensor);
}

void GraphBuilder::add_codes(const std::string& name, const Tensor& codes, onnx::ElementType type) {
  onnx::TensorProto& proto = *graph_.add_initializer();
  set_header(proto, name, codes.shape(), type);
  const int bits = onnx::info_of(type).bits;
  if (bits >= 8) {
    proto.set_raw_data(codes.data(), codes.bytes());
    return;
  }
  const auto count = static_cast<size_t>(codes.size());
  const size_t each = 8 / static_cast<size_t>(bits);
  std::string packed((count + each - 1) / each, '\0');
  for (size_t i = 0; i < count; ++i) {
    const unsigned code = std::to_integer<unsigned>(codes.data()[i]) & ((1u << bits) - 1);
    packed[i / each] |= static_cast<char>(code << (i % each * static_cast<size_t>(bits)));
  }
  proto.set_raw_data(std::move(packed));
}

onnx::NodeProto& GraphBuilder::add_node(const std::string& op_type, const std::string& name,
                                        const std::vector<std::string>& inputs,
                                        const std::vector<std::string>& outputs) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type(op_type);
  node.set_name(name);
  for (const auto& input : inputs) node.add_input(input);
  for (const auto& output : outputs) node.add_output(output);
  return node;
}

void GraphBuilder::set_ints(onnx::NodeProto& node, const std::string& key,
                            std::span<const int64_t> list) {
  auto& attribute = add(node, key, onnx::AttributeProto::INTS);
  for (const int64_t value : list) attribute.add_ints(value);
}

void GraphBuilder::set_int(onnx::NodeProto& node, const std::string& key, int64_t value) {
  add(node, key, onnx::AttributeProto::INT).set_i(value);
}

void GraphBuilder::set_float(onnx::NodeProto& node, const std::string& key, float value) {
  add(node, key, onnx::AttributeProto::FLOAT).set_f(value);
}

void GraphBuilder::set_string(onnx::NodeProto& node, const std::string& key,
                              const std::string& value) {
  add(node, key, onnx::AttributeProto::STRING).set_s(value);
}

void GraphBuilder::set_tensor(onnx::NodeProto& node, const std::string& key, const Tensor& tensor) {
  fill(*add(node, key, onnx::AttributeProto::TENSOR).mutable_t(), "", tensor);
}

}  // namespace nibble::exporter
