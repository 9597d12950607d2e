#include "quant/exporter/exporter.h"

#include <climits>

#include "quant/exporter/graph_writer.h"
#include "quant/exporter/opset.h"
#include "quant/graph/error.h"

namespace nibble::exporter {
namespace {

/// The first IR version of the ONNX release that brought the opset; ONNX Runtime refuses newer
/// ones.
int ir_version_of(int opset) {
  return opset >= 25 ? 13 : opset >= 21 ? 10 : 7;
}

}  // namespace

OnnxExport export_onnx(const graph::Graph& graph, int max_opset) {
  if (graph.phase == graph::Phase::kInteger)
    throw Error(ErrorKind::kInternal, "an integer graph has no ONNX form; export the annotated one",
                graph.source);
  OnnxExport result;
  result.opset = choose_opset(graph, max_opset);
  onnx::ModelProto model;
  model.set_ir_version(ir_version_of(result.opset));
  model.set_producer_name("nibble");
  model.add_opset_import()->set_version(result.opset);
  for (const auto& [key, value] : graph.metadata) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  write_graph(graph, result.opset, model, result.notes);
  if (model.ByteSizeLong() > INT_MAX)
    throw Error(ErrorKind::kOutput, "an ONNX file of more than 2 GiB cannot be written",
                graph.source);
  model.SerializeToString(&result.bytes);
  return result;
}

}  // namespace nibble::exporter
