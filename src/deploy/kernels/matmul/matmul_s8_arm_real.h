// Products to reals on ARM (matmul_s8_real.h). Included by ISA files; internal linkage.
#pragma once

#include "deploy/kernels/matmul/matmul_s8_arm.h"
#include "deploy/kernels/matmul/matmul_s8_real.h"
#include "deploy/kernels/simd/arm_neon_reals.h"

namespace nibble::kernels {
namespace {

struct RealOpsArm : OpsArm, RealsNeon {
  using V = int32x4_t;
};

struct RowArm {
  int8x16_t x;
  explicit RowArm(const int8_t* a) : x(broadcast4(a)) {}
};

/// A quad from Dot::add(sum, codes, x) and Dot::kOffset.
template <class Dot>
struct QuadDotArm {
  using Acc = int32x4_t;
  using Row = RowArm;
  static constexpr int kRows = 4, kChains = 2;
  static constexpr int32_t kOffset = Dot::kOffset;
  static int64_t room(int) { return INT64_MAX; }
  static Acc add(Acc acc, int32x4_t u, const Row& row) { return Dot::add(acc, u, row.x); }
  static int32x4_t take(Acc acc) { return acc; }
};

}  // namespace
}  // namespace nibble::kernels
