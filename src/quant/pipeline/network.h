#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deploy/model/model.h"
#include "quant/data/dataset.h"
#include "quant/graph/graph.h"
#include "quant/lower/lower.h"

namespace nibble::pipeline {

/// A network ready to run, from an .onnx or a .nbl file.
struct Network {
  std::string path;
  std::shared_ptr<const model::Model> model;
  std::optional<graph::Graph> graph;   // .onnx only: as imported, default transforms applied
  std::vector<lower::Island> islands;  // quantised ONNX only: nodes that stay float
  size_t file_bytes = 0;               // external data included
};

/// Reads `path` by its content. Float ONNX runs in float; ONNX with Q/DQ pairs is lowered and runs
/// on integers. Throws Error(kModel).
Network load_network(const std::string& path);

/// A graph of any phase as the runtime takes it: annotated graphs become their simulation, channels
/// last.
std::shared_ptr<const model::Model> runnable(const graph::Graph& graph);

/// What data must provide for this network.
std::vector<data::InputSpec> input_specs(const model::Model& model);

/// Applies the transforms that are on by default, in the order of the list, verifying after each.
void apply_default_transforms(graph::Graph& graph);

}  // namespace nibble::pipeline
