#include "quant/importer/importer.h"

#include "quant/importer/fold_qdq.h"
#include "quant/importer/graph_reader.h"
#include "quant/importer/mapped_file.h"
#include "quant/importer/model_reader.h"

namespace nibble::importer {
namespace {

std::string listing(const UnknownOps::Ops& ops) {
  std::string list;
  for (const auto& [op, nodes] : ops) {
    std::string names;
    for (const std::string& node : nodes) names += (names.empty() ? "" : ", ") + node;
    list += (list.empty() ? "" : "; ") + op + " (" + names + ")";
  }
  return list;
}

void read_metadata(const onnx::ModelProto& model, Context& context) {
  const std::string bits = "nibble.bits.";  // written by the exporter
  for (const auto& entry : model.metadata_props())
    if (entry.key().rfind(bits, 0) == 0)
      context.bits[entry.key().substr(bits.size())] = entry.value();
    else
      context.graph.metadata.emplace_back(entry.key(), entry.value());
}

}  // namespace

UnknownOps::UnknownOps(Ops ops, const std::string& file)
    : Error(ErrorKind::kModel, "ops that nibble does not know: " + listing(ops), file),
      ops(std::move(ops)) {}

graph::Graph import_onnx(const std::string& path, bool fold_qdq) {
  return import_onnx_bytes(MappedFile::open(path)->bytes(), path, fold_qdq);
}

graph::Graph import_onnx_bytes(std::span<const std::byte> bytes, const std::string& path,
                               bool fold_qdq) {
  Context context(path);
  {
    onnx::ModelProto model = parse_model(bytes, path);
    context.opset = opset_of(model, path);
    read_metadata(model, context);
    read_graph(*model.mutable_graph(), context);
  }
  graph::Graph& graph = context.graph;
  graph.sort_nodes();
  graph.infer_shapes();
  if (fold_qdq && importer::fold_qdq(context)) {
    graph.phase = graph::Phase::kAnnotated;
    graph.infer_shapes();
  }
  graph.drop_unused_values();
  graph::verify(graph, graph.phase);
  return std::move(graph);
}

}  // namespace nibble::importer
