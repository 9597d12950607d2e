#pragma once

#include <string>
#include <vector>

#include "quant/graph/graph.h"

namespace nibble::pipeline {

/// Small float networks, node by node; values are named after their node.
class TestNet {
 public:
  graph::Graph g;

  graph::ValueId input(const Shape& shape) {
    const graph::ValueId id = g.add_value("x", DType::kF32, shape);
    g.inputs.push_back(id);
    return id;
  }
  graph::ValueId node(graph::Op op, const std::string& name, std::vector<graph::ValueId> inputs,
                      graph::Attributes attributes = {}) {
    const graph::ValueId y = g.add_value(name, DType::kF32, {});
    g.nodes.push_back({op, name, std::move(attributes), std::move(inputs), {y}});
    g.infer_shapes();
    return y;
  }
  /// A convolution with `out` channels and a square kernel of ones; padded to keep the size.
  graph::ValueId conv(const std::string& name, graph::ValueId x, int64_t out, int64_t kernel = 3) {
    const Shape weights{out, g.value(x).shape[1], kernel, kernel};
    graph::Attributes attributes;
    attributes.set(graph::Attr::pads, std::vector<int64_t>(4, kernel / 2));
    return node(graph::Op::kConv, name, {x, constant(name + "_w", weights)}, attributes);
  }
  graph::ValueId gemm(const std::string& name, graph::ValueId x, int64_t out) {
    return node(graph::Op::kGemm, name, {x, constant(name + "_w", {g.value(x).shape[1], out})});
  }
  graph::ValueId constant(const std::string& name, const Shape& shape) {
    Tensor t(DType::kF32, shape);
    for (float& v : t.span<float>()) v = 1;
    return g.add_constant(name, std::move(t));
  }
};

}  // namespace nibble::pipeline
