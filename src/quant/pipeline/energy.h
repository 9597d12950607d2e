#pragma once

#include <string>

#include "quant/pipeline/layer_work.h"

namespace nibble::pipeline {

/// What operations and bytes cost, in picojoules (docs/energy.md). The defaults are those of a 45
/// nm process: M. Horowitz, "Computing's energy problem", ISSCC 2014.
struct EnergyTable {
  double multiply_8x8 = 0.2;  // integers; other widths by the product of their bits
  double add_32 = 0.1;        // integers; other widths in proportion
  double accumulator_bits = 32;
  double float_multiply = 3.7;  // binary32
  double float_add = 0.9;
  double cache_byte = 1.25;      // 5 pJ a 32-bit access of a small SRAM
  double memory_byte = 160;      // 640 pJ a 32-bit access of DRAM
  double cache_bytes = 1 << 20;  // what stays on the chip between its uses
};

/// A JSON (or YAML) map with any of the fields above as keys, each a number >= 0. Throws
/// Error(kUsage) naming file, line and key.
EnergyTable load_energy_table(const std::string& path);

/// Of one multiply-accumulate, in picojoules.
double energy_of_mac(const EnergyTable& table, const LayerWork& layer);

/// Estimate for one step in joules:
///   macs (e_mul(b_w, b_a) + e_add(acc)) + sum over levels of bytes e_level.
/// Every byte comes through the cache. Weights come from memory too where those of the whole
/// network
/// (`network_weight_bytes`) do not fit in the cache beside each other, activations where those of
/// the step do not.
double estimate_joules(const EnergyTable& table, const LayerWork& layer,
                       double network_weight_bytes);

}  // namespace nibble::pipeline
