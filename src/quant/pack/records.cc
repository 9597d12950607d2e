#include "quant/pack/records.h"

#include <string>

#include "quant/graph/error.h"

namespace nibble::pack {
namespace {

using format::PackedRecord;
using graph::Attr;
using graph::Graph;
using graph::Node;
using graph::Op;
using graph::Value;

[[noreturn]] void fail(const Graph& graph, const Node& node, const std::string& message) {
  throw Error(ErrorKind::kInternal, message, graph.source, node.name);
}

bool holds_codes(const Value& value) {
  return value.constant && value.quant && value.shape.rank() >= 2 && value.shape.size() > 0 &&
         (value.dtype == DType::kI8 || value.dtype == DType::kU8) && value.quant->params.bits <= 8;
}

// Dimensions of [n][kh...][kw][c]: all spatial axes but the last count as kh.
PackedRecord record_of(const Value& value, int64_t groups, bool depthwise) {
  const Shape& shape = value.shape;
  const int rank = shape.rank();
  const int64_t kw = rank > 2 ? shape[rank - 2] : 1;
  const int64_t kh = rank > 2 ? shape.size(1, rank - 2) : 1;
  const numeric::QuantParams& q = value.quant->params;
  const PackedRecord record =
      depthwise ? format::make_depthwise_record(q.bits, q.is_signed(), shape[0], kh, kw)
                : format::with_joined_taps(format::make_record(
                      q.bits, q.is_signed(), groups, shape[0] / groups, kh, kw, shape[rank - 1]));
  switch (q.grid) {
    case numeric::GridId::kAffine:
      break;
    case numeric::GridId::kBinary:
      return format::as_binary(record);
    case numeric::GridId::kTernary:
      return format::as_ternary(record);
  }
  return record;
}

bool is_depthwise(const Node& node, const Shape& weights) {
  const int64_t group = node.attributes.get_int(Attr::group, 1);
  return weights.rank() == 4 && group > 1 && group == weights[0] && weights[3] == 1;
}

bool is_integer_op(const Node& node) {
  return node.op == Op::kQConv || node.op == Op::kQGemm || node.op == Op::kQGemmReal;
}

// Nothing where input `i` of `node` stays dense.
std::optional<PackedRecord> wanted(const Graph& graph, const Node& node, size_t i) {
  const Value& value = graph.value(node.inputs[i]);
  if (node.op == Op::kDequantizeLinear && i == 0 && holds_codes(value) &&
      value.quant->params.bits < 8)
    return record_of(value, 1, false);
  if (!is_integer_op(node) || i != 1) return std::nullopt;
  if (!holds_codes(value))
    fail(graph, node, "weights '" + value.name + "' are not constant 8-bit codes with a grid");
  const int64_t group =
      node.op == Op::kQConv ? node.attributes.get_int(Attr::group, 1) : int64_t{1};
  if (group < 1 || value.shape[0] % group != 0)
    fail(graph, node,
         "weights '" + value.name + "' of shape " + to_string(value.shape) +
             " do not divide into " + std::to_string(group) + " groups");
  return record_of(value, group, node.op == Op::kQConv && is_depthwise(node, value.shape));
}

}  // namespace

std::vector<std::optional<PackedRecord>> packed_records(const Graph& graph) {
  std::vector<std::optional<PackedRecord>> records(graph.values.size());
  if (graph.phase != graph::Phase::kInteger) return records;
  std::vector<char> read_dense(graph.values.size(), 0);
  for (graph::ValueId id : graph.outputs) read_dense[static_cast<size_t>(id)] = 1;
  for (const Node& node : graph.nodes)
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!graph.is_constant(node.inputs[i])) continue;
      const auto id = static_cast<size_t>(node.inputs[i]);
      const auto record = wanted(graph, node, i);
      if (!record) {
        read_dense[id] = 1;
      } else if (records[id] && *records[id] != *record) {
        fail(graph, node,
             "weights '" + graph.values[id].name + "' are shared with a node that " +
                 "needs another packed form");
      } else {
        records[id] = record;
      }
    }
  for (const Node& node : graph.nodes)
    if (is_integer_op(node) && read_dense[static_cast<size_t>(node.inputs[1])])
      fail(graph, node,
           "weights '" + graph.value(node.inputs[1]).name + "' are also read as a dense tensor");
  for (size_t id = 0; id < records.size(); ++id)
    if (read_dense[id]) records[id].reset();
  return records;
}

Buffer pack_codes(const Value& value, const PackedRecord& record) {
  const auto stored = value.constant->span<uint8_t>();  // i8 or u8
  std::vector<uint8_t> codes(stored.size());
  for (size_t i = 0; i < codes.size(); ++i) {
    const int q = value.dtype == DType::kI8 ? static_cast<int8_t>(stored[i]) : stored[i];
    const int shifted = q + record.offset, u = shifted / record.spacing;
    if (u * record.spacing != shifted || u < 0 || u >= 1 << record.bits)
      throw Error(ErrorKind::kInternal, "value '" + value.name + "': code " + std::to_string(q) +
                                            " at " + std::to_string(i) + " does not fit " +
                                            std::to_string(record.bits) + " bits");
    codes[i] = static_cast<uint8_t>(u);
  }
  Buffer stream(format::packed_bytes(record));
  format::pack(record, codes, {stream.data(), stream.size()});
  return stream;
}

}  // namespace nibble::pack
