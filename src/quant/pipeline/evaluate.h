#pragma once

#include <optional>
#include <string>

#include "quant/pipeline/network.h"
#include "quant/pipeline/runner.h"

namespace nibble::pipeline {

struct Evaluation {
  int64_t samples = 0;
  std::string metric;           // "top1" or "perplexity"; empty without labels
  std::optional<double> value;  // fraction 0..1, or perplexity
  std::optional<double> top5;
  std::optional<double> sqnr_db;    // of the first output against the reference network's
  std::optional<double> agreement;  // share of equal predictions
  double seconds = 0;
};

/// Runs `network` over `dataset` (all of it) and measures what can be measured: label metrics where
/// there are labels; SQNR and agreement where `reference` is given; the first output of every
/// sample into `predictions` (.npy float32 [N, ...], written whole or not at all) where that is not
/// empty.
Evaluation evaluate(const Network& network, data::Dataset& dataset, const Network* reference,
                    const std::string& predictions, const RunOptions& options,
                    const Progress& progress);

}  // namespace nibble::pipeline
