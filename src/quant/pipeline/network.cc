#include "quant/pipeline/network.h"

#include <filesystem>
#include <fstream>

#include "deploy/model/nbl.h"
#include "quant/graph/error.h"
#include "quant/importer/importer.h"
#include "quant/pack/pack.h"
#include "quant/transform/transform.h"

namespace nibble::pipeline {
namespace {

/// By content; a file called .nbl is one even where its first bytes are damaged, so that the
/// message is about that.
bool is_nbl(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorKind::kModel, "cannot be opened", path);
  char start[4] = {};
  file.read(start, sizeof start);
  return std::string_view(start, sizeof start) == "\x89NBL" || path.ends_with(".nbl");
}

}  // namespace

void apply_default_transforms(graph::Graph& graph) {
  for (const transform::Transform* transform : transform::transforms()) {
    if (!transform->on_by_default) continue;
    if (transform->apply(graph) > 0) graph::verify(graph, graph.phase);
  }
}

std::shared_ptr<const model::Model> runnable(const graph::Graph& graph) {
  return pack::pack(graph.phase == graph::Phase::kAnnotated ? lower::simulation(graph)
                                                            : lower::channels_last(graph));
}

Network load_network(const std::string& path) {
  Network network;
  network.path = path;
  std::error_code ignored;
  network.file_bytes = std::filesystem::file_size(path, ignored);
  if (is_nbl(path)) {
    auto model = model::load_nbl(path);
    throw_if_error(model.status(), ErrorKind::kModel);
    network.model = std::move(model).value();
    return network;
  }
  network.graph = importer::import_onnx(path);
  graph::Graph& graph = *network.graph;
  apply_default_transforms(graph);
  if (graph.phase == graph::Phase::kAnnotated) {
    lower::Lowered lowered = lower::lower_to_integer(graph);
    network.islands = std::move(lowered.islands);
    network.model = pack::pack(lowered.graph);
  } else {
    network.model = runnable(graph);
  }
  return network;
}

std::vector<data::InputSpec> input_specs(const model::Model& model) {
  std::vector<data::InputSpec> specs;
  for (int index : model.inputs) {
    const model::TensorInfo& tensor = model.tensors[index];
    specs.push_back({tensor.name, tensor.dtype, tensor.shape});
  }
  return specs;
}

}  // namespace nibble::pipeline
