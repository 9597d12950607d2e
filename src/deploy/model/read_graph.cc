#include <cmath>
#include <cstring>
#include <string>

#include "deploy/model/check.h"
#include "deploy/model/graph_section.h"
#include "deploy/model/nbl_generated.h"

namespace nibble::model {
namespace {

template <class T>
using List = flatbuffers::Vector<flatbuffers::Offset<T>>;

// Absent vectors and strings are empty ones. The verifier does not look at the alignment of a
// vector's elements: they are copied as bytes.
template <class T>
std::vector<T> values(const flatbuffers::Vector<T>* v) {
  std::vector<T> copy(v ? v->size() : 0);
  if (!copy.empty()) std::memcpy(copy.data(), v->Data(), copy.size() * sizeof(T));
  return copy;
}
std::string text(const flatbuffers::String* s) {
  return s ? s->str() : std::string();
}
template <class T, class F>
Status for_each(const List<T>* list, F f) {
  for (flatbuffers::uoffset_t i = 0; list && i < list->size(); ++i)
    NIBBLE_RETURN_IF_ERROR(f(*list->Get(i)));
  return {};
}

// A number that stands for one of an enum's values first .. last.
Status check_enum(const char* what, int number, int first, int last) {
  if (number >= first && number <= last) return {};
  return corrupt(std::string(what) + " " + std::to_string(number) + "; expected " +
                 std::to_string(first) + " to " + std::to_string(last));
}

Status read_quant(const fb::Quant& in, TensorInfo& out) {
  NIBBLE_RETURN_IF_ERROR(check_enum("grid", in.grid(), 1, 3));
  NIBBLE_RETURN_IF_ERROR(check_enum("range kind", in.range(), 1, 6));
  NIBBLE_RETURN_IF_ERROR(check_enum("granularity", in.granularity(), 1, 4));
  numeric::QuantParams& q = out.quant.emplace();
  q.grid = static_cast<numeric::GridId>(in.grid());
  q.bits = in.bits();
  q.range = static_cast<numeric::RangeKind>(in.range());
  q.qmin = in.qmin();
  q.qmax = in.qmax();
  q.granularity = static_cast<numeric::Granularity>(in.granularity());
  q.axis = in.axis();
  q.block_axis = in.block_axis();
  q.group = in.group();
  q.scales = values(in.scales());
  q.zero_points = values(in.zero_points());
  return {};
}

format::PackedRecord read_packed(const fb::Packed& in) {
  format::PackedRecord r;
  r.format = static_cast<format::FormatId>(in.format());
  r.version = in.version();
  r.bits = in.bits();
  r.offset = in.offset();
  r.groups = in.groups();
  r.n = in.n();
  r.k = in.k();
  r.kh = in.kh();
  r.kw = in.kw();
  r.c = in.c();
  r.c_pad = in.c_pad();
  r.spacing = in.spacing();
  return r;
}

Status read_tensor(const fb::Tensor& in, TensorInfo& out) {
  NIBBLE_RETURN_IF_ERROR(check_enum("type", in.dtype(), 1, static_cast<int>(DType::kBool)));
  out.dtype = static_cast<DType>(in.dtype());
  const auto dims = values(in.shape());
  if (dims.size() > kMaxRank)
    return corrupt("rank " + std::to_string(dims.size()) + "; expected at most " +
                   std::to_string(kMaxRank));
  out.shape = Shape(std::span<const int64_t>(dims));
  out.is_constant = in.constant();
  if (in.quant()) NIBBLE_RETURN_IF_ERROR(read_quant(*in.quant(), out));
  if (in.packed()) {
    out.packed = read_packed(*in.packed());
    NIBBLE_RETURN_IF_ERROR(format::check(out.packed));
  }
  return {};
}

AttrValue read_value(const fb::Attribute& in, AttrKind kind) {
  switch (kind) {
    case AttrKind::kInt:
      return in.i();
    case AttrKind::kFloat:
      return in.f();
    case AttrKind::kInts:
      return values(in.ints());
    case AttrKind::kFloats:
      return values(in.floats());
    case AttrKind::kString:
      return text(in.s());
  }
  return int64_t{0};
}

// True if only the field that the key's kind names is set.
bool kind_fits(const fb::Attribute& in, AttrKind kind) {
  return (in.i() == 0 || kind == AttrKind::kInt) &&
         (std::isnan(in.f()) || kind == AttrKind::kFloat) &&
         (in.ints() != nullptr) == (kind == AttrKind::kInts) &&
         (in.floats() != nullptr) == (kind == AttrKind::kFloats) &&
         (in.s() != nullptr) == (kind == AttrKind::kString);
}

Status read_node(const fb::Node& in, NodeInfo& out) {
  NIBBLE_RETURN_IF_ERROR(check_enum("op", in.op(), 0, op_count() - 1));
  out.op = static_cast<Op>(in.op());
  out.inputs = values(in.inputs());
  out.outputs = values(in.outputs());
  int last_key = -1;
  return for_each(in.attributes(), [&](const fb::Attribute& attribute) -> Status {
    NIBBLE_RETURN_IF_ERROR(check_enum("attribute key", attribute.key(), 0, attr_count() - 1));
    const auto key = static_cast<Attr>(attribute.key());
    const std::string name(name_of(key));
    if (attribute.key() <= last_key)
      return corrupt("attribute '" + name + "' is out of order; expected ascending keys");
    last_key = attribute.key();
    if (!kind_fits(attribute, kind_of(key)))
      return corrupt("attribute '" + name + "' holds another kind of value than it should");
    out.attributes.set(key, read_value(attribute, kind_of(key)));
    return {};
  });
}

}  // namespace

Status read_graph(std::span<const std::byte> bytes, Model& model) {
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (!fb::VerifyGraphBuffer(verifier)) return corrupt("the graph section fails verification");
  const fb::Graph& graph = *fb::GetGraph(bytes.data());

  NIBBLE_RETURN_IF_ERROR(check_enum("phase", graph.phase(), 1, 3));
  NIBBLE_RETURN_IF_ERROR(check_enum("requantise variant", graph.requantise(), 1, 2));
  model.phase = static_cast<Phase>(graph.phase());
  model.requantise = static_cast<numeric::RequantiseVariant>(graph.requantise());
  model.inputs = values(graph.inputs());
  model.outputs = values(graph.outputs());

  NIBBLE_RETURN_IF_ERROR(for_each(graph.tensors(), [&](const fb::Tensor& in) -> Status {
    TensorInfo& tensor = model.tensors.emplace_back();
    tensor.name = text(in.name());
    if (Status s = read_tensor(in, tensor); !s.ok())
      return {s.code(), quoted("tensor", tensor.name) + ": " + s.message()};
    return check_tensor(tensor);
  }));
  NIBBLE_RETURN_IF_ERROR(for_each(graph.nodes(), [&](const fb::Node& in) -> Status {
    NodeInfo& node = model.nodes.emplace_back();
    node.name = text(in.name());
    if (Status s = read_node(in, node); !s.ok())
      return {s.code(), quoted("node", node.name) + ": " + s.message()};
    return {};
  }));
  return for_each(graph.metadata(), [&](const fb::Entry& in) -> Status {
    model.metadata.emplace_back(text(in.key()), text(in.value()));
    return {};
  });
}

}  // namespace nibble::model
