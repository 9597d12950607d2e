#include "deploy/kernels/requantise/code_map.h"

namespace nibble::kernels {
namespace {

/// The steps of one block, into column `block` of `below`; -1 where it falls or climbs too often.
int find_steps(const int8_t* of, int block, CodeMap& f) {
  int steps = 0;
  for (int i = 1; i < 16; ++i) {
    const int rise = of[i] - of[i - 1];
    if (rise < 0 || steps + rise > CodeMap::kMostSteps) return -1;
    for (int j = 0; j < rise; ++j) f.below[steps++][block] = static_cast<int8_t>(i - 1);
  }
  return steps;
}

}  // namespace

CodeMap make_code_map(const int8_t* results) {
  CodeMap f;
  for (auto& row : f.below)
    for (int8_t& last : row) last = 15;
  for (int q = -128; q < 128; ++q) f.of[static_cast<uint8_t>(q)] = results[q + 128];
  for (int block = 0; block < 16; ++block) {
    f.base[block] = f.of[16 * block];
    const int steps = find_steps(f.of + 16 * block, block, f);
    if (steps < 0) {
      f.steps = -1;
      return f;
    }
    if (steps > f.steps) f.steps = steps;
  }
  return f;
}

}  // namespace nibble::kernels
