#include <cmath>
#include <cstring>

#include "deploy/model/graph_section.h"
#include "deploy/model/nbl_generated.h"

namespace nibble::model {
namespace {

using Builder = flatbuffers::FlatBufferBuilder;
template <class T>
using Offset = flatbuffers::Offset<T>;

Offset<fb::Quant> write_quant(Builder& b, const numeric::QuantParams& q) {
  const auto scales = b.CreateVector(q.scales);
  const auto zeros = q.zero_points.empty() ? Offset<flatbuffers::Vector<int32_t>>()
                                           : b.CreateVector(q.zero_points);
  return fb::CreateQuant(b, static_cast<uint8_t>(q.grid), static_cast<uint8_t>(q.bits),
                         static_cast<uint8_t>(q.range), q.qmin, q.qmax,
                         static_cast<uint8_t>(q.granularity), static_cast<uint8_t>(q.axis),
                         static_cast<uint8_t>(q.block_axis), q.group, scales, zeros);
}

Offset<fb::Packed> write_packed(Builder& b, const format::PackedRecord& r) {
  return fb::CreatePacked(b, static_cast<uint8_t>(r.format), r.version, r.bits, r.offset, r.groups,
                          r.n, r.k, r.kh, r.kw, r.c, r.c_pad, r.spacing);
}

Offset<fb::Tensor> write_tensor(Builder& b, const TensorInfo& t) {
  const auto name = b.CreateString(t.name);
  const auto shape = b.CreateVector(t.shape.dims().data(), t.shape.dims().size());
  const auto quant = t.quant ? write_quant(b, *t.quant) : Offset<fb::Quant>();
  const auto packed = t.packed.format == format::FormatId::kPlain ? Offset<fb::Packed>()
                                                                  : write_packed(b, t.packed);
  return fb::CreateTensor(b, name, static_cast<uint8_t>(t.dtype), shape, t.is_constant, quant,
                          packed);
}

Offset<fb::Attribute> write_attribute(Builder& b, Attr key, const AttrValue& value) {
  int64_t i = 0;
  float f = NAN;
  Offset<flatbuffers::Vector<int64_t>> ints;
  Offset<flatbuffers::Vector<float>> floats;
  Offset<flatbuffers::String> text;
  switch (kind_of(key)) {
    case AttrKind::kInt:
      i = std::get<int64_t>(value);
      break;
    case AttrKind::kFloat:
      f = std::get<float>(value);
      break;
    case AttrKind::kInts:
      ints = b.CreateVector(std::get<std::vector<int64_t>>(value));
      break;
    case AttrKind::kFloats:
      floats = b.CreateVector(std::get<std::vector<float>>(value));
      break;
    case AttrKind::kString:
      text = b.CreateString(std::get<std::string>(value));
      break;
  }
  return fb::CreateAttribute(b, static_cast<uint16_t>(key), i, f, ints, floats, text);
}

Offset<fb::Node> write_node(Builder& b, const NodeInfo& node) {
  std::vector<Offset<fb::Attribute>> attributes;
  for (const auto& [key, value] : node.attributes.entries())
    attributes.push_back(write_attribute(b, key, value));
  const auto name = b.CreateString(node.name);
  const auto list = b.CreateVector(attributes);
  const auto inputs = b.CreateVector(node.inputs);
  const auto outputs = b.CreateVector(node.outputs);
  return fb::CreateNode(b, static_cast<uint16_t>(node.op), name, list, inputs, outputs);
}

}  // namespace

std::vector<std::byte> write_graph(const Model& model) {
  Builder b(64 * 1024);
  std::vector<Offset<fb::Tensor>> tensors;
  for (const TensorInfo& t : model.tensors) tensors.push_back(write_tensor(b, t));
  std::vector<Offset<fb::Node>> nodes;
  for (const NodeInfo& node : model.nodes) nodes.push_back(write_node(b, node));
  std::vector<Offset<fb::Entry>> metadata;
  for (const auto& [key, value] : model.metadata) {
    const auto k = b.CreateString(key);
    metadata.push_back(fb::CreateEntry(b, k, b.CreateString(value)));
  }
  const auto tensor_list = b.CreateVector(tensors);
  const auto node_list = b.CreateVector(nodes);
  const auto inputs = b.CreateVector(model.inputs);
  const auto outputs = b.CreateVector(model.outputs);
  const auto entries = b.CreateVector(metadata);
  fb::FinishGraphBuffer(b, fb::CreateGraph(b, static_cast<uint8_t>(model.phase),
                                           static_cast<uint8_t>(model.requantise), tensor_list,
                                           node_list, inputs, outputs, entries));
  std::vector<std::byte> bytes(b.GetSize());
  std::memcpy(bytes.data(), b.GetBufferPointer(), bytes.size());
  return bytes;
}

}  // namespace nibble::model
