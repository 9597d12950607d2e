#pragma once

#include "quant/graph/graph.h"

namespace nibble::lower {

/// Moves a QAdd into the QConv or QGemm that makes one of its operands, if nobody else reads that
/// operand: the sum then leaves the product's output stage, by the same arithmetic. Variant float,
/// one group, 8-bit codes of one shape. For integer graphs with shapes. Returns how many were
/// moved.
int fuse_residuals(graph::Graph& graph);

}  // namespace nibble::lower
