// Products of single rows where an instruction adds four of them to an int32 lane. Included by ISA
// files; internal linkage.
#pragma once

#include "deploy/kernels/matmul/matmul_s8_arm.h"

namespace nibble::kernels {
namespace {

/// The Sums of vector_panel from Dot::add(sum, codes, x) and Dot::kOffset. Even and odd quads have
/// sums of their own, or the latency of the product would show.
template <class Dot>
struct DotSums {
  static constexpr int kChain = 2, kOffset = Dot::kOffset;

  int32x4_t acc[2][4];

  void add(int v, const int32x4_t (&u)[2], const int8x16_t (&x)[2]) {
    NIBBLE_UNROLL for (int i = 0; i < 2; ++i) acc[i][v] = Dot::add(acc[i][v], u[i], x[i]);
  }
  void total(int32x4_t (&sums)[4]) const {
    NIBBLE_UNROLL for (int v = 0; v < 4; ++v) sums[v] = vaddq_s32(acc[0][v], acc[1][v]);
  }
};

}  // namespace
}  // namespace nibble::kernels
