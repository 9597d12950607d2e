#include "quant/exporter/bias.h"

#include <cmath>
#include <limits>

#include "deploy/numeric/rounding.h"

namespace nibble::exporter {
namespace {

using graph::Attr;
using graph::Graph;
using graph::Node;
using graph::Op;
using numeric::Granularity;
using numeric::QuantParams;

const QuantParams* grid(const Graph& graph, graph::ValueId id) {
  const auto& quant = graph.value(id).quant;
  return quant ? &quant->params : nullptr;
}

/// Axis of the weights that counts output channels; empty for nodes without an integer bias.
std::optional<int> output_axis(const Node& node) {
  if (node.op == Op::kConv) return 0;
  const bool plain = node.attributes.get_float(Attr::alpha, 1.0f) == 1.0f &&
                     node.attributes.get_float(Attr::beta, 1.0f) == 1.0f;
  if (node.op == Op::kGemm && plain) return node.attributes.get_int(Attr::transB, 0) != 0 ? 0 : 1;
  return std::nullopt;
}

/// The scale of every output channel, or one for all; empty when weights are scaled otherwise.
std::vector<float> weight_scales(const QuantParams& weights, int axis, int64_t channels) {
  if (weights.granularity == Granularity::kTensor) return weights.scales;
  if (weights.axis != axis || weights.granularity == Granularity::kBlock) return {};
  if (weights.granularity == Granularity::kChannel) return weights.scales;
  std::vector<float> scales(static_cast<size_t>(channels));
  for (int64_t n = 0; n < channels; ++n)
    scales[static_cast<size_t>(n)] = weights.scales[static_cast<size_t>(n / weights.group)];
  return scales;
}

}  // namespace

std::optional<IntegerBias> integer_bias(const Graph& graph, const Node& node) {
  const auto axis = output_axis(node);
  if (!axis || node.inputs.size() < 3 || !graph.is_constant(node.inputs[2])) return std::nullopt;
  const QuantParams *x = grid(graph, node.inputs[0]), *w = grid(graph, node.inputs[1]),
                    *y = grid(graph, node.outputs[0]);
  if (!x || !w || !y || !graph.is_constant(node.inputs[1]) || graph.value(node.inputs[2]).quant)
    return std::nullopt;
  if (x->granularity != Granularity::kTensor || y->granularity != Granularity::kTensor)
    return std::nullopt;
  const Tensor& bias = *graph.value(node.inputs[2]).constant;
  const int64_t channels = graph.value(node.inputs[1]).shape[*axis];
  const int last = bias.shape().rank() - 1;
  if (bias.dtype() != DType::kF32 || last < 0 || bias.shape()[last] != channels ||
      bias.size() != channels)
    return std::nullopt;
  const auto scales = weight_scales(*w, *axis, channels);
  if (scales.empty()) return std::nullopt;

  IntegerBias result{Tensor(DType::kI32, bias.shape()), last, {}};
  const double input_scale = x->scales[0];
  for (int64_t n = 0; n < channels; ++n) {
    const auto i = static_cast<size_t>(n);
    const double scale = input_scale * static_cast<double>(scales[scales.size() == 1 ? 0 : i]);
    const double code =
        numeric::round_half_even(static_cast<double>(bias.span<float>()[i]) / scale);
    using Limits = std::numeric_limits<int32_t>;
    if (!(code >= Limits::min() && code <= Limits::max())) return std::nullopt;
    result.codes.span<int32_t>()[i] = static_cast<int32_t>(code);
  }
  for (const float scale : scales)
    result.scales.push_back(static_cast<float>(input_scale * static_cast<double>(scale)));
  for (const float scale : result.scales)
    if (!(scale > 0)) return std::nullopt;  // the product is below binary32
  return result;
}

}  // namespace nibble::exporter
