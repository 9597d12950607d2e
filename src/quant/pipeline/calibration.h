#pragma once

#include <string>
#include <vector>

#include "quant/calibrate/estimator.h"
#include "quant/data/dataset.h"
#include "quant/pipeline/place_quantizers.h"
#include "quant/pipeline/runner.h"

namespace nibble::pipeline {

/// Chooses scale and zero point of every grid of `placement` and writes them into its graph, which
/// becomes annotated. Weights: recipe.weight_range or the scheme's default. Activations: the float
/// graph `network` runs on the first `recipe.samples` samples of `calibration` while one estimator
/// a tensor watches. Throws Error(kData) for NaN in the data or in a tensor made from it,
/// Error(kUsage) where activations need data and `calibration` is null.
void choose_grids(Placement& placement, const graph::Graph& network, const recipe::Recipe& recipe,
                  data::Dataset* calibration, const RunOptions& options, const Progress& progress);

/// Grids without data, for predictions of size and time: weights as choose_grids, activations over
/// [-8, 8].
void choose_placeholder_grids(Placement& placement, const recipe::Recipe& recipe);

}  // namespace nibble::pipeline
