#pragma once

#include "quant/importer/context.h"

namespace nibble::importer {

/// Turns QuantizeLinear and DequantizeLinear nodes into grids (QuantInfo, chosen by "imported
/// QDQ"):
///   - a constant behind DequantizeLinear becomes a real constant on a grid (int32: a plain real
///     constant), a real constant behind a pair likewise;
///   - a pair on an activation becomes the activation's grid. Where the activation is read
///     unquantised or on another grid as well, the pair becomes a Requantize;
///   - Where(x < t, -s, s) of our own exporter becomes a binary grid of x in the same way;
///   - Relu and Clip in front of a pair become a narrower code range, or the fused bounds clip_min,
///     clip_max of the op that they follow.
/// What has no such form stays an op. Returns whether the graph has any grid now. The graph must be
/// sorted and have shapes.
bool fold_qdq(Context& context);

// The steps, in this order.
void fold_constants(Context& context);    // fold_constants.cc
void fold_activations(Context& context);  // fold_activations.cc
void fold_signs(Context& context);        // fold_signs.cc
/// Relu/Clip in front of the quantised values.  fold_clips.cc
void fold_clips(graph::Graph& graph);

}  // namespace nibble::importer
