// Products to reals from 16-bit multiply-adds (matmul_s8_madd.h, matmul_s8_real.h). Included by ISA
// files with `Ops`, the registers of the ISA; internal linkage.
#pragma once

#include "deploy/kernels/matmul/matmul_s8_madd.h"
#include "deploy/kernels/matmul/matmul_s8_real.h"

namespace nibble::kernels {
namespace {

/// Pairs of products kept in int16 while they fit.
template <class Ops>
struct QuadNarrow {
  using V = typename Ops::V;
  using Acc = V;
  static constexpr int kRows = Ops::kNarrowRows, kChains = 1;
  static constexpr int32_t kOffset = 0;
  static int64_t room(int bits) { return 32767 / (2 * int64_t{(1 << bits) - 1} * 128); }
  struct Row {
    V x;
    explicit Row(const int8_t* a) : x(Ops::broadcast4(a)) {}
  };
  static V add(V acc, V u, const Row& row) { return Ops::add16(acc, Ops::maddubs(u, row.x)); }
  static V take(V acc) { return Ops::madd(acc, Ops::ones16()); }
};

/// Any 8 bits, as int16.
template <class Ops>
struct QuadWide {
  using V = typename Ops::V;
  using Acc = V;
  static constexpr int kRows = Ops::kWideRows, kChains = 1;
  static constexpr int32_t kOffset = 0;
  static int64_t room(int) { return INT64_MAX; }
  struct Row {
    Words<Ops> x;
    explicit Row(const int8_t* a) : x(quad_words<Ops>(a)) {}
  };
  static V add(V acc, V u, const Row& row) {
    return add_products<Ops>(acc, code_words<Ops>(u), row.x);
  }
  static V take(V acc) { return acc; }
};

/// RealCoreS8.
template <class Ops>
void real_madd(const MatmulRealS8& p, const int8_t* a, const int32_t* sums, const float* row_scales,
               int64_t m, float* out, int64_t panel_begin, int64_t panel_end) {
  const auto run = QuadNarrow<Ops>::room(p.bits) > 1 ? real_panels<Ops, QuadNarrow<Ops>>
                                                     : real_panels<Ops, QuadWide<Ops>>;
  run(p, a, sums, row_scales, m, out, panel_begin, panel_end);
}

}  // namespace
}  // namespace nibble::kernels
