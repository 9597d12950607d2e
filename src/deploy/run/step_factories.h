#pragma once

#include <memory>

#include "deploy/model/model.h"
#include "deploy/run/step.h"

namespace nibble::run {

/// Makes the step of one node. Null when the op has no kernel for the node's element types.
using StepFactory = std::unique_ptr<Step>(const model::Model&, const model::NodeInfo&);

#define NIBBLE_STEP(op, factory) StepFactory factory;
#include "deploy/run/steps.inc"
#undef NIBBLE_STEP
#define NIBBLE_SIMULATED_STEP(op, factory) StepFactory factory;
#define NIBBLE_KEEPS_GRID(op)
#include "deploy/run/simulate/simulated.inc"
#undef NIBBLE_KEEPS_GRID
#undef NIBBLE_SIMULATED_STEP
/// What make_qgemm_real makes of an annotated one.
StepFactory make_simulated_qgemm_real;
/// What pool_step makes of a GlobalAveragePool whose result has a grid of its own.
StepFactory global_mean_step;

}  // namespace nibble::run
