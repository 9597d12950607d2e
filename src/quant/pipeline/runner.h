#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "deploy/run/session.h"
#include "quant/data/dataset.h"
#include "quant/pipeline/progress.h"

namespace nibble::pipeline {

struct RunOptions {
  int threads = 1;
  Isa isa = Isa::kPortable;
  int64_t batch = 32;
};

/// $NIBBLE_ISA or this machine's best. Throws Error(kUsage) for a name that is unknown or cannot
/// run here.
Isa ceiling_from_environment();

std::unique_ptr<run::Session> make_session(std::shared_ptr<const model::Model> model,
                                           const RunOptions& options);

/// Runs samples [0, samples) of `dataset` batch by batch and hands every batch with its outputs to
/// `consume`. Outputs are views that die with the call. A model with a fixed batch is fed exactly
/// that many samples at a time; the last batch is filled up with its first sample and the surplus
/// outputs are cut off.
void for_each_batch(
    run::Session& session, data::Dataset& dataset, int64_t samples, int64_t batch,
    const std::string& stage, const Progress& progress,
    const std::function<void(const data::Batch&, const std::vector<TensorView>&)>& consume);

}  // namespace nibble::pipeline
