#include "deploy/kernels/matmul/matmul_s8.h"
#include "deploy/kernels/simd/output_s8_reference.h"

namespace nibble::kernels::portable {
namespace {

constexpr int64_t kStep = 64, kTile = 1024;  // panel8: k of a step, bytes of 16 channels x 64 k

}  // namespace

void matmul_s8(const MatmulS8& p, const int8_t* const* rows, const int32_t* row_sums, int64_t m,
               int8_t* out, int64_t stride, int64_t panel_begin, int64_t panel_end) {
  for (int64_t n = panel_begin * kPanelS8; n < panel_end * kPanelS8 && n < p.n; n += 16) {
    const uint8_t* tiles = p.b + n / kPanelS8 * kPanelS8 * p.k_padded + n % kPanelS8 / 16 * kTile;
    for (int64_t i = 0; i < m; ++i) {
      uint32_t sum[16] = {};  // wraps around, as the vector cores do before the correction
      int64_t k = 0;
      for (int64_t s = 0; s < p.segments; ++s) {
        const int8_t* a = rows[i] + p.segment[s];
        for (int64_t j = 0; j < p.length; ++j, ++k) {
          const uint8_t* u = tiles + k / kStep * 2 * kTile + k % kStep / 4 * 64 + k % 4;
          for (int c = 0; c < 16; ++c) sum[c] += static_cast<uint32_t>(u[4 * c] * a[j]);
        }
      }
      for (int64_t c = 0; c < 16 && n + c < p.n; ++c)
        out[i * stride + n + c] =
            output_s8(p.output, n + c, static_cast<int32_t>(sum[c]), row_sums[i]);
    }
  }
}

void sums_s8(const int8_t* a, int64_t rows, int64_t k, int32_t* sums) {
  for (int64_t i = 0; i < rows; ++i) {
    uint32_t sum = 0;  // wraps around, as the correction that uses it
    for (int64_t j = 0; j < k; ++j) sum += static_cast<uint32_t>(*a++);
    sums[i] = static_cast<int32_t>(sum);
  }
}

}  // namespace nibble::kernels::portable
