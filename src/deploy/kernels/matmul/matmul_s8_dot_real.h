// Products to reals where an instruction adds four products to an int32 lane (matmul_s8_real.h).
// Included by ISA files with `Ops`, the registers of the ISA; internal linkage.
#pragma once

#include "deploy/kernels/matmul/matmul_s8_real.h"

namespace nibble::kernels {
namespace {

/// Four products a lane by one instruction.
template <class Ops>
struct QuadDot {
  using V = typename Ops::V;
  using Acc = V;
  static constexpr int kRows = sizeof(V) == 64 ? 12 : 6, kChains = sizeof(V) == 64 ? 4 : 2;
  static constexpr int32_t kOffset = 0;
  static int64_t room(int) { return INT64_MAX; }
  struct Row {
    V x;
    explicit Row(const int8_t* a) : x(Ops::broadcast4(a)) {}
  };
  static V add(V acc, V u, const Row& row) { return Ops::dot(acc, u, row.x); }
  static V take(V acc) { return acc; }
};

}  // namespace
}  // namespace nibble::kernels
