// CodeMaps by vectors: included once by each ISA file (codes_rows.h), which defines
// look_up(table, i): table[i] of 16 bytes, each i in 0..15.
#pragma once

#include "deploy/kernels/requantise/code_map.h"
#include "deploy/kernels/simd/lanes.h"

namespace nibble::kernels::NIBBLE_ISA_NAMESPACE {

/// kRegisters of codes, which share the loads of a step's table.
template <int kRegisters>
NIBBLE_INLINE void map_registers(const CodeMap& f, const int8_t* x, int8_t* y) {
  using V = Vec<int8_t>;
  using U = Vec<uint8_t>;
  V upper[kRegisters], lower[kRegisters], sum[kRegisters];
  for (int r = 0; r < kRegisters; ++r) {
    const V q = load<V>(x + r * int64_t{sizeof(V)});
    upper[r] = (V)((U)q >> 4);
    lower[r] = q & 15;
    sum[r] = look_up(f.base, upper[r]);
  }
  for (int j = 0; j < f.steps; ++j)
    for (int r = 0; r < kRegisters; ++r)
      sum[r] -= (V)(lower[r] > look_up(f.below[j], upper[r]));  // true is -1
  for (int r = 0; r < kRegisters; ++r) store(y + r * int64_t{sizeof(V)}, sum[r]);
}

static void map_codes(const CodeMap& f, const int8_t* x, int8_t* y, int64_t n) {
  int64_t i = 0;
  if (f.steps >= 0) {
    for (; i + 4 * NIBBLE_VECTOR_BYTES <= n; i += 4 * NIBBLE_VECTOR_BYTES)
      map_registers<4>(f, x + i, y + i);
    for (; i + NIBBLE_VECTOR_BYTES <= n; i += NIBBLE_VECTOR_BYTES)
      map_registers<1>(f, x + i, y + i);
  }
  for (; i < n; ++i) y[i] = f.of[(uint8_t)x[i]];
}

}  // namespace nibble::kernels::NIBBLE_ISA_NAMESPACE
