#include "quant/lower/weights.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "deploy/numeric/rounding.h"
#include "quant/graph/error.h"
#include "quant/lower/codes.h"
#include "quant/lower/lower.h"

namespace nibble::lower {
namespace {

using graph::Attr;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Op;
using numeric::Granularity;

constexpr double kBiasLimit = 1073741824.0;  // 2^30

/// True when the matrix of a Gemm or MatMul is [K, N].
bool is_k_by_n(const Node& node) {
  return node.op == Op::kMatMul ||
         (node.op == Op::kGemm && node.attributes.get_int(Attr::transB, 0) == 0);
}

size_t unit_of(const numeric::QuantParams& grid, int64_t channel) {
  switch (grid.granularity) {
    case Granularity::kTensor:
      return 0;
    case Granularity::kChannel:
      return static_cast<size_t>(channel);
    case Granularity::kGroup:
      return static_cast<size_t>(channel / grid.group);
    case Granularity::kBlock:
      break;  // no such weights run on integers (verdict_of)
  }
  throw Error(ErrorKind::kInternal, "weights with block scales in an integer op");
}

bool has_bias(const Node& node) {
  return node.inputs.size() > 2 && node.inputs[2] != kNoValue;
}

float bias_at(const Graph& graph, const Node& node, int64_t channel) {
  const Tensor& bias = *graph.value(node.inputs[2]).constant;
  return bias.span<float>()[bias.size() == 1 ? 0 : static_cast<size_t>(channel)];
}

}  // namespace

Weights weights_of(const Graph& graph, const Node& node) {
  const graph::Value& value = graph.value(node.inputs[1]);
  Weights w;
  w.grid = value.quant->params;
  w.grid.axis = 0;
  w.codes = codes_of(graph, node.inputs[1]);
  w.shape = value.shape;
  if (is_k_by_n(node)) {
    const int64_t k = value.shape[0], n = value.shape[1];
    std::vector<int32_t> transposed(w.codes.size());
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j < n; ++j) transposed[j * k + i] = w.codes[i * n + j];
    w.codes = std::move(transposed);
    w.shape = {n, k};
  }
  w.channels = w.shape[0];
  w.length = w.shape.size(1, w.shape.rank());
  for (int64_t n = 0; n < w.channels; ++n) {
    w.zero.push_back(w.grid.zero_point(unit_of(w.grid, n)));
    w.scale.push_back(w.grid.scales[unit_of(w.grid, n)]);
  }
  return w;
}

std::vector<int32_t> bias_codes(const Graph& graph, const Node& node, float x_scale,
                                const Weights& weights) {
  std::vector<int32_t> codes(static_cast<size_t>(weights.channels), 0);
  if (!has_bias(node)) return codes;
  for (int64_t n = 0; n < weights.channels; ++n) {
    const double q = double{bias_at(graph, node, n)} / (double{x_scale} * double{weights.scale[n]});
    if (!(std::abs(q) < kBiasLimit))
      throw Error(ErrorKind::kModel,
                  "channel " + std::to_string(n) + ": bias / (input scale x weight scale) is " +
                      std::to_string(q) + ", expected less than 2^30 in size",
                  graph.source, node.name, "a larger weight scale for this channel");
    codes[n] = static_cast<int32_t>(numeric::round_half_even(q));
  }
  return codes;
}

void prove_no_overflow(const Graph& graph, const Node& node, const numeric::QuantParams& x,
                       const Weights& weights, std::span<const int32_t> bias) {
  const int64_t z = x.zero_point(0);
  const int64_t centred = std::max(std::abs(x.qmin - z), std::abs(x.qmax - z));
  const int64_t raw = std::max(std::abs(int64_t{x.qmin}), std::abs(int64_t{x.qmax}));
  for (int64_t n = 0; n < weights.channels; ++n) {
    int64_t sum = 0, size = 0;
    for (int64_t k = 0; k < weights.length; ++k) {
      const int64_t w = weights.codes[n * weights.length + k] - weights.zero[n];
      sum += w;
      size += std::abs(w);
    }
    const int64_t unfolded = size * centred + std::abs(int64_t{bias[n]});
    const int64_t folded = size * raw + std::abs(bias[n] - z * sum);
    const int64_t bound = std::max(unfolded, folded);
    if (bound > INT32_MAX)
      throw Error(ErrorKind::kModel,
                  "channel " + std::to_string(n) + ": its sum can reach " + std::to_string(bound) +
                      ", expected less than 2^31",
                  graph.source, node.name, "fewer bits, or leave this layer in float");
  }
}

int raise_scales_for_bias(Graph& annotated) {
  int raised = 0;
  for (const Node& node : annotated.nodes) {
    if (node.op != Op::kConv && node.op != Op::kGemm && node.op != Op::kMatMul) continue;
    if (!has_bias(node) || !annotated.is_constant(node.inputs[1])) continue;
    const auto& x = annotated.value(node.inputs[0]).quant;
    auto& w = annotated.value(node.inputs[1]).quant;
    const graph::Value& bias = annotated.value(node.inputs[2]);
    if (!x || !w || x->params.granularity != Granularity::kTensor ||
        w->params.granularity == Granularity::kBlock || !bias.constant || bias.dtype != DType::kF32)
      continue;
    const int64_t channels = w->params.granularity == Granularity::kTensor
                                 ? bias.constant->size()
                                 : annotated.value(node.inputs[1]).shape[w->params.axis];
    if (bias.constant->size() != 1 && bias.constant->size() != channels) continue;
    for (int64_t n = 0; n < channels; ++n) {
      float& scale = w->params.scales[unit_of(w->params, n)];
      // Half the limit, so that rounding the scale to binary32 cannot reach it.
      const double least = std::abs(double{bias_at(annotated, node, n)}) /
                           (double{x->params.scales[0]} * (kBiasLimit / 2));
      if (double{scale} * 2 > least) continue;  // below the limit
      scale = static_cast<float>(least);
      ++raised;
    }
  }
  return raised;
}

}  // namespace nibble::lower
