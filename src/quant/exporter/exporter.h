#pragma once

#include <string>
#include <vector>

#include "quant/graph/graph.h"

namespace nibble::exporter {

struct OnnxExport {
  std::string bytes;  // serialised ModelProto
  int opset = 13;
  std::vector<std::string> notes;  // "conv1: 3-bit weights stored as int4", ...
};

/// An annotated (or float) graph as ONNX with QuantizeLinear/DequantizeLinear pairs: the lowest of
/// opset 13, 21 and, where `max_opset` is 25, 25 that holds the model's types. Weights as integer
/// initialisers behind DequantizeLinear, bias int32 with scale = input scale * weight scale, fused
/// clips as Relu/Clip. Widths without an ONNX type take the same codes in the next wider type
/// (activations behind a Clip) and a note says so.
OnnxExport export_onnx(const graph::Graph& graph, int max_opset = 21);

}  // namespace nibble::exporter
