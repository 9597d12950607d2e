#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "deploy/format/format.h"
#include "quant/graph/graph.h"

namespace nibble::pack {

/// By value id: the record under which a constant's codes are packed, or nothing where it stays
/// dense. Input 1 of QConv ([O][k...][C/group]) and QGemm, QGemmReal ([N][K]) always is packed:
/// depthwise 2-D convolutions to kDepthwise, the rest to panels at the width of their grid. Input 0
/// of DequantizeLinear is packed below 8 bits where nothing else reads it. Throws Error(kInternal)
/// naming node and value where weights have no grid or two readers disagree.
std::vector<std::optional<format::PackedRecord>> packed_records(const graph::Graph& graph);

/// The codes of a constant as a stream of `record`. Throws Error(kInternal) for a code outside the
/// record's width.
Buffer pack_codes(const graph::Value& value, const format::PackedRecord& record);

}  // namespace nibble::pack
