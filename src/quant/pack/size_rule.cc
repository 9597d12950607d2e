#include "quant/pack/pack.h"
#include "quant/pack/records.h"

namespace nibble::pack {
namespace {

using graph::Graph;
using graph::Node;
using graph::Op;

constexpr int64_t kBytesPerChannel = 12;
constexpr int64_t kGraphBytes = 32000;

int64_t bytes_of(const graph::Value& value) {
  return static_cast<int64_t>(value.constant->bytes());
}

}  // namespace

SizeRule size_rule(const Graph& graph) {
  const auto records = packed_records(graph);
  SizeRule rule;
  std::vector<char> counted(graph.values.size(), 0);
  // Counts constant input i of `node` once, with `count`.
  const auto each = [&](const Node& node, size_t i, auto count) {
    if (i >= node.inputs.size() || !graph.is_constant(node.inputs[i])) return;
    char& seen = counted[static_cast<size_t>(node.inputs[i])];
    if (!seen) count(graph.value(node.inputs[i]));
    seen = 1;
  };
  const auto stream_bytes = [&](graph::ValueId id) {
    const auto& record = records[static_cast<size_t>(id)];
    return record ? static_cast<int64_t>(format::packed_bytes(*record)) : bytes_of(graph.value(id));
  };

  for (const Node& node : graph.nodes) {
    const bool integer = node.op == Op::kQConv || node.op == Op::kQGemm;
    const bool real = node.op == Op::kQGemmReal;
    if (!integer && !real && node.op != Op::kDequantizeLinear) continue;
    const size_t codes = integer || real ? 1 : 0;
    each(node, codes, [&](const graph::Value& value) {
      rule.packed_stream_bytes += stream_bytes(node.inputs[codes]);
      if (integer) rule.scale_bytes += kBytesPerChannel * value.shape[0];
    });
    for (size_t i = codes + 1; i < node.inputs.size(); ++i)
      each(node, i, [&](const graph::Value& value) {
        if (!integer) rule.scale_bytes += bytes_of(value);  // QConv, QGemm: in the 12 a channel
      });
  }
  for (const Node& node : graph.nodes)
    for (size_t i = 0; i < node.inputs.size(); ++i)
      each(node, i, [&](const graph::Value& value) { rule.float_bytes += bytes_of(value); });

  const int64_t quantised = rule.packed_stream_bytes + rule.scale_bytes;
  rule.limit_bytes = quantised * 105 / 100 + kGraphBytes + rule.float_bytes;
  return rule;
}

}  // namespace nibble::pack
