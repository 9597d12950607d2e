#pragma once

namespace nibble::pipeline {

/// What one step does.
struct LayerWork {
  double macs = 0;
  double weight_bytes = 0;      // constants, as stored
  double activation_bytes = 0;  // read and written
  bool integer = false;         // its products
  int weight_bits = 32, activation_bits = 32;

  double bytes() const { return weight_bytes + activation_bytes; }
};

}  // namespace nibble::pipeline
