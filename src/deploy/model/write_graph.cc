#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "deploy/model/graph_section.h"
#include "deploy/model/nbl_generated.h"

namespace nibble::model {
namespace {

template <class T>
using Offset = flatbuffers::Offset<T>;
template <class T>
using Vector = Offset<flatbuffers::Vector<T>>;

/// The bytes of numbers, as a key.
template <class... T>
std::string key_of(const T&... values) {
  std::string key;
  (key.append(reinterpret_cast<const char*>(&values), sizeof values), ...);
  return key;
}

/// Writes every string, vector and sub-table once: networks repeat their shapes, grids and
/// attributes from node to node. What is empty is left out.
class Writer {
 public:
  flatbuffers::FlatBufferBuilder b{64 * 1024};

  Offset<flatbuffers::String> text(const std::string& s) {
    return s.empty() ? Offset<flatbuffers::String>() : b.CreateSharedString(s);
  }

  template <class T>
  Vector<T> vector(std::span<const T> values) {
    if (values.empty()) return {};
    std::string key = key_of(Kind::kVector, sizeof(T), std::is_floating_point_v<T>);
    key.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    return share<flatbuffers::Vector<T>>(
        std::move(key), [&] { return b.CreateVector(values.data(), values.size()); });
  }
  template <class T>
  Vector<T> vector(const std::vector<T>& values) {
    return vector(std::span<const T>(values));
  }

  Offset<fb::Quant> quant(const numeric::QuantParams& q) {
    const auto scales = vector(q.scales);
    const auto zeros = vector(q.zero_points);
    return share<fb::Quant>(key_of(Kind::kQuant, q.grid, q.bits, q.range, q.qmin, q.qmax,
                                   q.granularity, q.axis, q.block_axis, q.group, scales.o, zeros.o),
                            [&] {
                              return fb::CreateQuant(
                                  b, static_cast<uint8_t>(q.grid), static_cast<uint8_t>(q.bits),
                                  static_cast<uint8_t>(q.range), q.qmin, q.qmax,
                                  static_cast<uint8_t>(q.granularity), static_cast<uint8_t>(q.axis),
                                  static_cast<uint8_t>(q.block_axis), q.group, scales, zeros);
                            });
  }

  Offset<fb::Packed> packed(const format::PackedRecord& r) {
    return share<fb::Packed>(key_of(Kind::kPacked, r.format, r.version, r.bits, r.offset, r.groups,
                                    r.n, r.k, r.kh, r.kw, r.c, r.c_pad, r.spacing),
                             [&] {
                               return fb::CreatePacked(b, static_cast<uint8_t>(r.format), r.version,
                                                       r.bits, r.offset, r.groups, r.n, r.k, r.kh,
                                                       r.kw, r.c, r.c_pad, r.spacing);
                             });
  }

  Offset<fb::Tensor> tensor(const TensorInfo& t) {
    const auto name = text(t.name);
    const auto shape = vector(t.shape.dims());
    const auto grid = t.quant ? quant(*t.quant) : Offset<fb::Quant>();
    const auto record =
        t.packed.format == format::FormatId::kPlain ? Offset<fb::Packed>() : packed(t.packed);
    return fb::CreateTensor(b, name, static_cast<uint8_t>(t.dtype), shape, t.is_constant, grid,
                            record);
  }

  Offset<fb::Attribute> attribute(Attr key, const AttrValue& value) {
    int64_t i = 0;
    float f = NAN;
    Vector<int64_t> ints;
    Vector<float> floats;
    Offset<flatbuffers::String> string;
    switch (kind_of(key)) {
      case AttrKind::kInt:
        i = std::get<int64_t>(value);
        break;
      case AttrKind::kFloat:
        f = std::get<float>(value);
        break;
      // An empty list or text is still a value: its field is there.
      case AttrKind::kInts:
        ints = list(std::get<std::vector<int64_t>>(value));
        break;
      case AttrKind::kFloats:
        floats = list(std::get<std::vector<float>>(value));
        break;
      case AttrKind::kString:
        string = b.CreateSharedString(std::get<std::string>(value));
        break;
    }
    return share<fb::Attribute>(
        key_of(Kind::kAttribute, key, i, f, ints.o, floats.o, string.o), [&] {
          return fb::CreateAttribute(b, static_cast<uint16_t>(key), i, f, ints, floats, string);
        });
  }

  Offset<fb::Node> node(const NodeInfo& n) {
    std::vector<Offset<fb::Attribute>> attributes;
    std::string key = key_of(Kind::kAttributes);
    for (const auto& [name, value] : n.attributes.entries()) {
      attributes.push_back(attribute(name, value));
      key += key_of(attributes.back().o);
    }
    Vector<Offset<fb::Attribute>> attribute_list;
    if (!attributes.empty())
      attribute_list = share<flatbuffers::Vector<Offset<fb::Attribute>>>(
          std::move(key), [&] { return b.CreateVector(attributes); });
    const auto name = text(n.name);
    const auto inputs = vector(n.inputs);
    const auto outputs = vector(n.outputs);
    return fb::CreateNode(b, static_cast<uint16_t>(n.op), name, attribute_list, inputs, outputs);
  }

 private:
  enum class Kind : char { kVector, kQuant, kPacked, kAttribute, kAttributes };

  template <class T>
  Vector<T> list(const std::vector<T>& values) {
    return values.empty() ? b.CreateVector(values) : vector(values);
  }

  template <class T, class F>
  Offset<T> share(std::string key, F make) {
    const auto [entry, is_new] = written_.try_emplace(std::move(key), 0);
    if (is_new) entry->second = make().o;
    return Offset<T>(entry->second);
  }

  std::unordered_map<std::string, flatbuffers::uoffset_t> written_;
};

}  // namespace

std::vector<std::byte> write_graph(const Model& model) {
  Writer w;
  flatbuffers::FlatBufferBuilder& b = w.b;
  std::vector<Offset<fb::Tensor>> tensors;
  for (const TensorInfo& t : model.tensors) tensors.push_back(w.tensor(t));
  std::vector<Offset<fb::Node>> nodes;
  for (const NodeInfo& node : model.nodes) nodes.push_back(w.node(node));
  std::vector<Offset<fb::Entry>> metadata;
  for (const auto& [key, value] : model.metadata) {
    const auto k = w.text(key);
    metadata.push_back(fb::CreateEntry(b, k, w.text(value)));
  }
  const auto tensor_list = b.CreateVector(tensors);
  const auto node_list = b.CreateVector(nodes);
  const auto inputs = w.vector(model.inputs);
  const auto outputs = w.vector(model.outputs);
  const auto entries = b.CreateVector(metadata);
  fb::FinishGraphBuffer(b, fb::CreateGraph(b, static_cast<uint8_t>(model.phase),
                                           static_cast<uint8_t>(model.requantise), tensor_list,
                                           node_list, inputs, outputs, entries));
  std::vector<std::byte> bytes(b.GetSize());
  std::memcpy(bytes.data(), b.GetBufferPointer(), bytes.size());
  return bytes;
}

}  // namespace nibble::model
