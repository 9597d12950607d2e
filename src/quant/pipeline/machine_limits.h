#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "quant/pipeline/layer_work.h"
#include "quant/pipeline/runner.h"

namespace nibble::pipeline {

/// What this machine reaches at most, measured: the roof that a layer is held to.
struct MachineLimits {
  struct Level {
    std::string name;  // "L1", "L2", "L3", "DRAM"
    size_t bytes = 0;  // capacity for all threads together; DRAM: no limit
    double gbs = 0;    // 1e9 bytes read a second
  };
  double int8_gops = 0, float_gops = 0;  // 1e9 operations a second, 2 a multiply-accumulate
  std::vector<Level> levels;             // capacities ascend

  double gops_of(const LayerWork& work) const { return work.integer ? int8_gops : float_gops; }
  /// Of the smallest level that holds what the step reads and writes.
  double gbs_of(const LayerWork& work) const;
};

/// Measures for `options.threads` threads at once, in about half a second: the best matrix core at
/// `options.isa` on operands that stay in L1 (W8A8, and float), and streaming reads of a working
/// set in each level. The best of several tries counts: others share the machine.
MachineLimits measure_limits(const RunOptions& options);

/// The part of the roof that a step reached in `seconds`: the larger of its shares of the compute
/// rate and of the bandwidth. 0 without time.
double share_of(const MachineLimits& limits, const LayerWork& work, double seconds);

}  // namespace nibble::pipeline
