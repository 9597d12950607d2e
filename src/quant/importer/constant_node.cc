#include "quant/importer/constant_node.h"

#include <span>

#include "quant/graph/error.h"

namespace nibble::importer {
namespace {

using onnx::AttributeProto;
using onnx::ElementType;

template <class T, class Field>
Tensor list(const Field& field) {
  return Tensor::of<T>({field.size()},
                       std::span<const T>(field.data(), static_cast<size_t>(field.size())));
}

template <class T>
Tensor scalar(T value) {
  return Tensor::of<T>({}, std::span<const T>(&value, 1));
}

}  // namespace

StoredTensor read_constant_node(const onnx::NodeProto& node, Context& context) {
  const auto fail = [&](const std::string& what) {
    return Error(ErrorKind::kModel, "Constant: " + what, context.graph.source,
                 node.name().empty() ? node.output(0) : node.name());
  };
  if (node.attribute_size() != 1)
    throw fail("found " + std::to_string(node.attribute_size()) +
               " attributes, expected one value");
  const AttributeProto& value = node.attribute(0);
  const std::string& key = value.name();
  if (key == "value" && value.type() == AttributeProto::TENSOR)
    return read_tensor(value.t(), context.graph.source, context.external);
  if (key == "value_float" && value.type() == AttributeProto::FLOAT)
    return {scalar<float>(value.f()), ElementType::kFloat};
  if (key == "value_int" && value.type() == AttributeProto::INT)
    return {scalar<int64_t>(value.i()), ElementType::kInt64};
  if (key == "value_floats" && value.type() == AttributeProto::FLOATS)
    return {list<float>(value.floats()), ElementType::kFloat};
  if (key == "value_ints" && value.type() == AttributeProto::INTS)
    return {list<int64_t>(value.ints()), ElementType::kInt64};
  throw fail("attribute '" + key + "' is not supported");
}

}  // namespace nibble::importer
