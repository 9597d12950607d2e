#include "quant/pipeline/calibration.h"

#include <array>
#include <map>

#include "quant/calibrate/calibrator.h"
#include "quant/graph/error.h"
#include "quant/pipeline/network.h"

namespace nibble::pipeline {
namespace {

using recipe::MethodCall;

/// Min-max at 8 bits and above, where clipping loses more than it gains; the MSE search below.
MethodCall weight_method(const recipe::Recipe& recipe, int bits) {
  if (recipe.weight_range) return *recipe.weight_range;
  return {bits >= 8 ? "minmax" : "mse", {}};
}

void choose_weight_grids(Placement& placement, const recipe::Recipe& recipe) {
  for (const WeightGrid& w : placement.weights) {
    graph::Value& value = placement.graph.value(w.value);
    const MethodCall method = weight_method(recipe, w.spec.bits);
    value.quant = graph::QuantInfo{
        calibrate::fit_weights(value.constant->view(), w.spec, w.granularity, w.axis, w.block_axis,
                               w.group, method.name, method.parameters),
        method.name};
  }
}

/// The estimators of a placement: one a grid, named after the grid's first value.
class ActivationGrids {
 public:
  ActivationGrids(Placement& placement, const MethodCall& method) : placement_(placement) {
    for (const ActivationGrid& grid : placement.activations) {
      calibrator_.add(key(grid), grid.spec, method.name, method.parameters);
      keys_[placement.graph.value(grid.observe).name].push_back(key(grid));
    }
  }

  /// Real numbers of the tensor called `name`; nothing where no grid depends on it.
  void observe(const std::string& name, const TensorView& view) {
    const auto it = keys_.find(name);
    if (it == keys_.end() || view.dtype != DType::kF32) return;
    for (const std::string& key : it->second) calibrator_.observe(key, view.span<const float>());
  }

  /// The same numbers for every tensor.
  void observe_all(std::span<const float> values) {
    for (const ActivationGrid& grid : placement_.activations)
      calibrator_.observe(key(grid), values);
  }

  void finish() {
    const auto calibrated = calibrator_.finish();
    for (const ActivationGrid& grid : placement_.activations)
      for (graph::ValueId id : grid.values)
        placement_.graph.value(id).quant = calibrated.at(key(grid)).quant;
  }

 private:
  std::string key(const ActivationGrid& grid) const {
    return placement_.graph.value(grid.values.front()).name;
  }

  Placement& placement_;
  calibrate::Calibrator calibrator_;
  std::map<std::string, std::vector<std::string>> keys_;  // by observed tensor
};

void choose_activation_grids(Placement& placement, const graph::Graph& network,
                             const recipe::Recipe& recipe, data::Dataset& calibration,
                             const RunOptions& options, const Progress& progress) {
  ActivationGrids grids(placement, recipe.activation_range.value_or(MethodCall{"mse", {}}));
  auto session = make_session(runnable(network), options);
  const model::Model& model = session->model();
  session->set_observer(
      [&](int tensor, const TensorView& view) { grids.observe(model.tensors[tensor].name, view); });
  for_each_batch(*session, calibration, recipe.samples, recipe.batch, "calibrate", progress,
                 [&](const data::Batch& batch, const std::vector<TensorView>&) {
                   for (size_t i = 0; i < batch.inputs.size(); ++i)
                     grids.observe(model.tensors[model.inputs[i]].name, batch.inputs[i].view());
                 });
  grids.finish();
}

void annotate(Placement& placement, const recipe::Recipe& recipe) {
  placement.graph.phase = graph::Phase::kAnnotated;
  placement.graph.requantise = recipe.requantise;
  lower::raise_scales_for_bias(placement.graph);
  graph::verify(placement.graph, graph::Phase::kAnnotated);
}

}  // namespace

void choose_grids(Placement& placement, const graph::Graph& network, const recipe::Recipe& recipe,
                  data::Dataset* calibration, const RunOptions& options, const Progress& progress) {
  choose_weight_grids(placement, recipe);
  if (!placement.activations.empty()) {
    if (!calibration)
      throw Error(ErrorKind::kUsage,
                  "scheme " + recipe.scheme + " has static activations: --calib DATA is needed",
                  network.source, {}, "give --calib, or a weight-only scheme such as W8A16");
    choose_activation_grids(placement, network, recipe, *calibration, options, progress);
  }
  annotate(placement, recipe);
}

void choose_placeholder_grids(Placement& placement, const recipe::Recipe& recipe) {
  constexpr std::array<float, 2> kRange = {-8, 8};
  choose_weight_grids(placement, recipe);
  ActivationGrids grids(placement, {"minmax", {}});
  grids.observe_all(kRange);
  grids.finish();
  annotate(placement, recipe);
}

}  // namespace nibble::pipeline
