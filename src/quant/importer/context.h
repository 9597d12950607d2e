#pragma once

#include <map>
#include <set>
#include <string>

#include "quant/graph/graph.h"
#include "quant/importer/external_data.h"
#include "quant/onnx/element_type.h"

namespace nibble::importer {

/// What the steps of one import share.
struct Context {
  explicit Context(const std::string& file) : external(file) { graph.source = file; }

  graph::Graph graph;
  ExternalData external;
  int opset = 0;
  std::map<graph::ValueId, onnx::ElementType> stored;  // type in the file, where known
  std::set<std::string> node_names;
  std::map<std::string, std::string> bits;  // our own metadata: constant -> width of its codes

  /// `wanted`, or with a suffix "_1", "_2", ... when it is taken; taken from now on.
  std::string unique_node_name(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 1; !node_names.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
    return name;
  }
};

}  // namespace nibble::importer
