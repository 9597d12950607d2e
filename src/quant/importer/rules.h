#pragma once

#include <string_view>
#include <vector>

#include "quant/importer/node_draft.h"

namespace nibble::importer {

/// How nodes of one ONNX op enter the graph.
struct Rule {
  Op op;
  std::vector<Attr> attributes;                // copied as they are
  std::vector<std::string_view> ignored = {};  // attributes without effect on inference
  void (*adapt)(NodeDraft&) = nullptr;         // brings older forms to the newest one first
};

/// The rule for an op, or null for one that nibble does not know.
const Rule* find_rule(std::string_view domain, std::string_view op_type);

// adapt_shape.cc
void adapt_slice(NodeDraft&);
void adapt_pad(NodeDraft&);
void adapt_axes_input(NodeDraft&);  // Squeeze, Unsqueeze, Reduce*: axes become input 1
void adapt_split(NodeDraft&);
void adapt_upsample(NodeDraft&);
void adapt_resize(NodeDraft&);
void adapt_constant_of_shape(NodeDraft&);
// adapt_math.cc
void adapt_clip(NodeDraft&);
void adapt_softmax(NodeDraft&);
void adapt_batch_normalization(NodeDraft&);
void adapt_layer_normalization(NodeDraft&);
void adapt_dropout(NodeDraft&);
void adapt_cast(NodeDraft&);
void adapt_sum(NodeDraft&);
// adapt_quantisation.cc
void adapt_quantize_linear(NodeDraft&);
void adapt_dequantize_linear(NodeDraft&);

}  // namespace nibble::importer
