#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nibble/run.h"

namespace nibble::bench {

/// Seeded values for every input of a model: floats uniform in [0, 1), integers 0 or 1. A free
/// dimension becomes `batch`. Half-precision inputs hold zeros.
class Inputs {
 public:
  Inputs(const std::vector<Port>& ports, int64_t batch);
  std::span<const Array> arrays() const { return arrays_; }

 private:
  std::vector<std::vector<uint64_t>> storage_;  // one an input; 8-byte units keep all types aligned
  std::vector<Array> arrays_;
};

}  // namespace nibble::bench
