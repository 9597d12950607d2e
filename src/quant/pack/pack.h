#pragma once

#include <cstdint>
#include <memory>

#include "deploy/base/tensor.h"
#include "deploy/model/model.h"
#include "quant/graph/graph.h"

namespace nibble::pack {

/// A graph of any phase as the bytes of a .nbl file (deploy/model/nbl.h). Spatial ops must be
/// channels_last (lower/channels_last.h). Values that no node, input or output names are left out;
/// the others keep their names. Phase kInteger: weight codes of QConv, QGemm and of
/// DequantizeLinear below 8 bits are packed at their width (records.h); everything else is dense.
/// Throws Error(kInternal) naming the value when a code does not fit its grid.
Buffer pack_nbl(const graph::Graph& graph);

/// The same, parsed again: what the runtime will see. There is one path, through the bytes.
std::shared_ptr<const model::Model> pack(const graph::Graph& graph);

/// What a quantised file may hold.
struct SizeRule {
  int64_t packed_stream_bytes = 0;  // weight codes as stored, padding included
  int64_t scale_bytes = 0;          // 12 a channel of integer weights; scales, zeros of the others
  int64_t float_bytes = 0;  // constants of nodes that stay float, which the rule does not cover
  int64_t limit_bytes = 0;  // 1.05 (packed_stream_bytes + scale_bytes) + 32000 + float_bytes
};
/// Of a graph of phase kInteger.
SizeRule size_rule(const graph::Graph& graph);

}  // namespace nibble::pack
