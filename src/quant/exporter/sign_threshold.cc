#include "quant/exporter/sign_threshold.h"

namespace nibble::exporter {
namespace {

using graph::Graph;
using graph::Node;
using graph::Op;
using numeric::Granularity;
using numeric::QuantParams;

Tensor scalar(float value) {
  return Tensor::of<float>({}, std::span(&value, 1));
}

const QuantParams* grid_of(const Graph& graph, graph::ValueId id) {
  const auto& quant = graph.value(id).quant;
  return quant ? &quant->params : nullptr;
}

/// One number a channel: the first axis of a convolution's result behind the batch, the last one of
/// a matrix'.
Tensor by_channel(const Graph& graph, const Node& node, double x_scale, const QuantParams& w) {
  const int64_t channels = graph.value(node.inputs[1]).shape[w.axis];
  Shape shape{channels};
  if (node.op == Op::kConv)
    for (int d = 2; d < graph.value(node.inputs[0]).shape.rank(); ++d) shape.push_back(1);
  Tensor threshold(DType::kF32, shape);
  for (int64_t n = 0; n < channels; ++n) {
    const int64_t unit = w.granularity == Granularity::kGroup ? n / w.group : n;
    threshold.span<float>()[static_cast<size_t>(n)] =
        static_cast<float>(-x_scale * double{w.scales[static_cast<size_t>(unit)]} / 2);
  }
  return threshold;
}

}  // namespace

Tensor sign_threshold() {
  return scalar(0);
}

Tensor sign_threshold(const Graph& graph, const Node& node) {
  const QuantParams* x = grid_of(graph, node.inputs[0]);
  if (!x || x->granularity != Granularity::kTensor) return scalar(0);
  const double x_scale = x->scales[0];
  if (node.op == Op::kGlobalAveragePool) {
    const Shape& shape = graph.value(node.inputs[0]).shape;
    if (!shape.known()) return scalar(0);
    const auto positions = static_cast<double>(shape.size(2, shape.rank()));
    return scalar(static_cast<float>(-x_scale / (2 * positions)));
  }
  if (node.op != Op::kConv && node.op != Op::kGemm && node.op != Op::kMatMul) return scalar(0);
  const QuantParams* w =
      graph.is_constant(node.inputs[1]) ? grid_of(graph, node.inputs[1]) : nullptr;
  if (!w || w->granularity == Granularity::kBlock) return scalar(0);
  if (w->granularity == Granularity::kTensor)
    return scalar(static_cast<float>(-x_scale * double{w->scales[0]} / 2));
  return by_channel(graph, node, x_scale, *w);
}

}  // namespace nibble::exporter
