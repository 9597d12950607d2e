#pragma once

#include <string>
#include <vector>

#include "quant/lower/lower.h"
#include "quant/pipeline/runner.h"
#include "quant/recipe/recipe.h"

namespace nibble::pipeline {

/// What a scheme will do to a model, found without data in seconds: grids get placeholder ranges,
/// everything else (placement, lowering, packing, running) is real, so sizes and times are those of
/// the result.
struct Prediction {
  std::vector<std::string> integer_ops;  // names of ops that will run on integers
  std::vector<lower::Island> islands;
  std::vector<std::string> notes;
  size_t bytes = 0;       // of the .nbl
  size_t peak_bytes = 0;  // activations of one sample and constants
  double latency_us = 0;  // measured here, one sample
};

Prediction predict(const recipe::Recipe& recipe, const RunOptions& options);

}  // namespace nibble::pipeline
