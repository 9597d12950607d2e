#include "quant/pipeline/calibration.h"

#include <map>
#include <memory>

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

/// Estimators by observed tensor, fed from a float run.
class Watcher {
 public:
  Watcher(const graph::Graph& graph, const std::vector<ActivationGrid>& grids, MethodCall method)
      : method_(std::move(method)) {
    for (const ActivationGrid& grid : grids) {
      auto& slot = by_name_[graph.value(grid.observe).name];
      if (!slot) slot = calibrate::make_estimator(method_.name, method_.parameters);
    }
  }

  void observe(const std::string& name, const TensorView& view, const std::string& source) {
    const auto it = by_name_.find(name);
    if (it == by_name_.end() || view.dtype != DType::kF32) return;
    it->second->observe(view.span<const float>());
    if (it->second->nan_count > 0)
      throw Error(ErrorKind::kData,
                  "NaN in tensor '" + name + "' during calibration; every value must be a number",
                  source);
  }

  const calibrate::Estimator& of(const std::string& name) const { return *by_name_.at(name); }

 private:
  MethodCall method_;
  std::map<std::string, std::unique_ptr<calibrate::Estimator>> by_name_;
};

numeric::QuantParams per_tensor(const calibrate::GridSpec& spec, const calibrate::Affine& affine) {
  numeric::QuantParams params;
  params.bits = spec.bits;
  params.range = spec.range;
  const auto [qmin, qmax] = numeric::code_range(spec.range, spec.bits);
  params.qmin = qmin;
  params.qmax = qmax;
  params.scales = {affine.scale};
  if (affine.zero_point != 0) params.zero_points = {affine.zero_point};
  return params;
}

void choose_activation_grids(Placement& placement, const graph::Graph& network,
                             const recipe::Recipe& recipe, data::Dataset& calibration,
                             const RunOptions& options, const Progress& progress) {
  const MethodCall method = recipe.activation_range.value_or(MethodCall{"mse", {}});
  Watcher watcher(network, placement.activations, method);
  auto session = make_session(runnable(network), options);
  const model::Model& model = session->model();
  session->set_observer([&](int tensor, const TensorView& view) {
    watcher.observe(model.tensors[tensor].name, view, recipe.calib);
  });
  const auto observe_inputs = [&](const data::Batch& batch) {
    for (size_t i = 0; i < batch.inputs.size(); ++i)
      watcher.observe(model.tensors[model.inputs[i]].name, batch.inputs[i].view(), recipe.calib);
  };
  for_each_batch(
      *session, calibration, recipe.samples, kCalibrationBatch, "calibrate", progress,
      [&](const data::Batch& batch, const std::vector<TensorView>&) { observe_inputs(batch); });
  for (const ActivationGrid& grid : placement.activations) {
    const auto& estimator = watcher.of(network.value(grid.observe).name);
    const graph::QuantInfo info{per_tensor(grid.spec, estimator.finish(grid.spec)), method.name};
    for (graph::ValueId id : grid.values) placement.graph.value(id).quant = info;
  }
}

void annotate(Placement& placement, const recipe::Recipe& recipe) {
  placement.graph.phase = graph::Phase::kAnnotated;
  placement.graph.requantise = recipe.requantise;
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
  choose_weight_grids(placement, recipe);
  for (const ActivationGrid& grid : placement.activations) {
    const calibrate::Affine affine = calibrate::affine_from_range(-8, 8, grid.spec);
    for (graph::ValueId id : grid.values)
      placement.graph.value(id).quant =
          graph::QuantInfo{per_tensor(grid.spec, affine), "placeholder"};
  }
  annotate(placement, recipe);
}

}  // namespace nibble::pipeline
