#include "quant/pipeline/predict.h"

#include <set>

#include "quant/importer/importer.h"
#include "quant/pack/pack.h"
#include "quant/pipeline/benchmark.h"
#include "quant/pipeline/calibration.h"
#include "quant/pipeline/network.h"
#include "quant/pipeline/place_quantizers.h"

namespace nibble::pipeline {
namespace {

bool is_integer_op(model::Op op) {
  switch (op) {
    case model::Op::kQConv:
    case model::Op::kQGemm:
    case model::Op::kQMatMul:
    case model::Op::kQAdd:
    case model::Op::kQMul:
    case model::Op::kRequantize:
    case model::Op::kQGemmReal:
      return true;
    default:
      return false;
  }
}

}  // namespace

Prediction predict(const recipe::Recipe& recipe, const RunOptions& options) {
  graph::Graph graph = importer::import_onnx(recipe.model);
  apply_default_transforms(graph);
  Placement placement = place_quantizers(graph, recipe);
  choose_placeholder_grids(placement, recipe);
  lower::Lowered lowered = lower::lower_to_integer(placement.graph);

  Prediction prediction;
  prediction.islands = std::move(lowered.islands);
  prediction.notes = std::move(placement.notes);
  std::set<std::string> ops;
  for (const graph::Node& node : lowered.graph.nodes)
    if (is_integer_op(node.op)) ops.insert(std::string(model::name_of(node.op)));
  prediction.integer_ops.assign(ops.begin(), ops.end());
  Network network;
  network.path = recipe.model;
  network.model = pack::pack(lowered.graph);
  prediction.bytes = pack::pack_nbl(lowered.graph).size();
  const Benchmark b = benchmark(network, options, 0.2, recipe.seed);
  prediction.peak_bytes = b.peak_activation_bytes + prediction.bytes;
  prediction.latency_us = b.median_us;
  return prediction;
}

}  // namespace nibble::pipeline
