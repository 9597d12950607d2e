#pragma once

#include <optional>

#include "quant/importer/context.h"

namespace nibble::importer {

/// The grid of a QuantizeLinear or DequantizeLinear node on a real tensor of `shape`, with all
/// codes of its element type: bits 8 for int8/uint8 and so on; `full` when every zero point is 0
/// and the type signed, else `asymmetric`. Empty when nibble has no such grid (scales that are not
/// constant or not positive, int32 codes, blocks along one axis with scales along several others):
/// the node then stays an op.
std::optional<numeric::QuantParams> grid_of_node(const graph::Node& node, const Shape& shape,
                                                 const Context& context);

/// The type of the codes, if the file states one that a grid can have.
std::optional<onnx::ElementType> code_type_of(const graph::Node& node, const Context& context);

/// Scales of a node in the order of QuantParams, without looking at codes: granularity, axes, group
/// and scales are set. Empty as above.
std::optional<numeric::QuantParams> scales_of_node(const graph::Node& node, const Shape& shape,
                                                   const Context& context);

}  // namespace nibble::importer
