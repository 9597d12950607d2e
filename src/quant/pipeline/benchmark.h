#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deploy/model/op.h"
#include "quant/pipeline/layer_work.h"
#include "quant/pipeline/network.h"
#include "quant/pipeline/runner.h"

namespace nibble::pipeline {

struct LayerTime {
  std::string name, kernel;
  std::string copy;  // the node whose result leaves the same step; empty: none
  model::Op op;
  double microseconds = 0;  // median over the profiled runs
  double gops = 0,
         gbs = 0;  // 1 multiply-accumulate = 2 operations; 0 where the notion does not apply
  LayerWork work;
};

struct Benchmark {
  double min_us = 0, median_us = 0, p90_us = 0;
  int runs = 0;
  size_t peak_activation_bytes = 0;
  std::vector<LayerTime> layers;
};

/// Latency of one run on seeded random inputs of batch `options.batch`: runs for `seconds` (at
/// least 10 times) after a warm-up; layers are timed in separate runs, so that the clock does not
/// weigh on the total.
Benchmark benchmark(const Network& network, const RunOptions& options, double seconds,
                    uint64_t seed);

/// Joules of one such run above idle, by the processor's counters, in six seconds; nothing where
/// they cannot be read.
std::optional<double> measured_joules(const Network& network, const RunOptions& options,
                                      uint64_t seed);

/// One tensor a model input with dimension 0 = `batch` where it is free: floats in [0, 1), integers
/// 0 or 1.
std::vector<Tensor> random_inputs(const model::Model& model, int64_t batch, uint64_t seed);

}  // namespace nibble::pipeline
