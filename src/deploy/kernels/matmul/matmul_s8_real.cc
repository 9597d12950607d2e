#include <algorithm>

#include "deploy/kernels/matmul/matmul.h"

namespace nibble::kernels {
namespace {

constexpr double kSerialMacs = 500e3;  // as in matmul_s8
constexpr int64_t kSumsGrain = 64 * 1024;

}  // namespace

void matmul_real_s8(const MatmulS8Variant& variant, const MatmulRealS8& p, const int8_t* a,
                    const float* row_scales, int64_t m, int32_t* sums, float* out,
                    ThreadPool& pool) {
  const MatmulS8Core& core = *variant.core;
  const int64_t panels = (p.n + kPanelS8 - 1) / kPanelS8, blocks = p.blocks();
  if (m == 0 || panels == 0) return;
  const int64_t whole = p.k_padded / p.block, rest = p.k_padded % p.block;
  pool.parallel_for(m, kSumsGrain / p.k_padded + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int8_t* row = a + i * p.k_padded;
      core.sums(row, whole, p.block, sums + i * blocks);
      if (rest) core.sums(row + whole * p.block, 1, rest, sums + i * blocks + whole);
    }
  });
  const double macs =
      static_cast<double>(m) * static_cast<double>(p.n) * static_cast<double>(p.k_padded);
  pool.parallel_for(panels, macs < kSerialMacs ? panels : 1, [&](int64_t begin, int64_t end) {
    core.real(p, a, sums, row_scales, m, out, begin, end);
  });
}

}  // namespace nibble::kernels
