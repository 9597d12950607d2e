#include <cmath>

#include "deploy/format/planes.h"
#include "deploy/kernels/matmul/matmul_s8.h"
#include "deploy/kernels/simd/output_s8_reference.h"

namespace nibble::kernels::portable {
namespace {

/// sum[c] += u[c][k] a for one k of a tile's step, k in 0..63.
void add_products(const uint8_t* tile, int64_t k, int8_t a, uint32_t* sum) {
  const uint8_t* u = tile + k / 4 * 64 + k % 4;
  // Wraps around, as the vector cores do before the correction.
  for (int c = 0; c < kTileS8; ++c) sum[c] += static_cast<uint32_t>(u[4 * c] * a);
}

void block(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
           const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride) {
  for (int t = 0; t < block.tiles; ++t) {
    const uint8_t* tile = block.b + t / 2 * block.panel_bytes + t % 2 * kTileBytesS8;
    const int64_t n = block.n + t * kTileS8;
    for (int64_t i = 0; i < m; ++i) {
      uint32_t sum[kTileS8] = {};
      int32_t* held = block.sums + i * kBlockChannelsS8 + t * kTileS8;
      if (!block.first)
        for (int c = 0; c < kTileS8; ++c) sum[c] = static_cast<uint32_t>(held[c]);
      for (int64_t k = block.k_begin; k < block.k_end; ++k) {
        const int8_t a = rows[i][p.segment[k / p.length] + k % p.length];
        const int64_t at = k - block.k_begin;
        add_products(tile + at / kStepS8 * block.step_bytes, at % kStepS8, a, sum);
      }
      if (!block.last)
        for (int c = 0; c < kTileS8; ++c) held[c] = static_cast<int32_t>(sum[c]);
      else
        for (int64_t c = 0; c < kTileS8 && n + c < p.n; ++c) {
          const int64_t at = i * stride + t * kTileS8 + c;
          out[at] = output_s8(p.output, n + c, static_cast<int32_t>(sum[c]), row_sums[i]);
          if (block.residual) out[at] = add_residual_s8(p.output, out[at], block.residual[at]);
        }
    }
  }
}

void vector(const MatmulS8& p, const int8_t* a, int32_t row_sum, int8_t* out,
            const int8_t* residual, int64_t panel_begin, int64_t panel_end) {
  const int64_t tile_bytes = kTileBytesS8 / 8 * p.bits;
  for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
    const int64_t first = panel * kPanelS8;
    const int64_t tiles = p.n_padded - first < kPanelS8 ? 1 : 2;
    for (int64_t t = 0; t < tiles; ++t) {
      const std::byte* stream = p.b + first / kTileS8 * p.k_padded / kStepS8 * tile_bytes;
      uint32_t sum[kTileS8] = {};
      for (int64_t step = 0; step * kStepS8 < p.k_padded; ++step) {
        uint8_t tile[kTileBytesS8];
        format::unpack_tile(p.bits, stream + (step * tiles + t) * tile_bytes, tile);
        for (int64_t k = 0; k < kStepS8; ++k) add_products(tile, k, a[step * kStepS8 + k], sum);
      }
      const int64_t n = first + t * kTileS8;
      for (int64_t c = 0; c < kTileS8 && n + c < p.n; ++c) {
        out[n + c] = output_s8(p.output, n + c, static_cast<int32_t>(sum[c]), row_sum);
        if (residual) out[n + c] = add_residual_s8(p.output, out[n + c], residual[n + c]);
      }
    }
  }
}

void unpack(int bits, const std::byte* stream, int64_t tiles, uint8_t* out) {
  for (int64_t t = 0; t < tiles; ++t, out += kTileBytesS8, stream += kTileBytesS8 / 8 * bits)
    format::unpack_tile(bits, stream, out);
}

void sums(const int8_t* a, int64_t rows, int64_t k, int32_t* sums) {
  for (int64_t i = 0; i < rows; ++i) {
    uint32_t sum = 0;  // wraps around, as the correction that uses it
    for (int64_t j = 0; j < k; ++j) sum += static_cast<uint32_t>(*a++);
    sums[i] = static_cast<int32_t>(sum);
  }
}

/// 16 channels of one row.
void real_tile(const MatmulRealS8& p, int64_t tile, const int8_t* a, const int32_t* sums,
               float row_scale, float* y) {
  const int64_t bytes = kTileBytesS8 / 8 * p.bits, panel = tile / 2;
  const std::byte* codes = p.b + (panel * p.k_padded / kStepS8 * 2 + tile % 2) * bytes;
  float t[kTileS8] = {};
  for (int64_t b = 0; b < p.blocks(); ++b) {
    uint32_t sum[kTileS8] = {};
    uint8_t unpacked[kTileBytesS8];
    for (int64_t k = b * p.block; k < p.k_padded && k < (b + 1) * p.block; ++k) {
      if (k == b * p.block || k % kStepS8 == 0)
        format::unpack_tile(p.bits, codes + k / kStepS8 * 2 * bytes, unpacked);
      add_products(unpacked, k % kStepS8, a[k], sum);
    }
    const int64_t at = (panel * p.blocks() + b) * kPanelS8 + tile % 2 * kTileS8;
    for (int c = 0; c < kTileS8; ++c) {
      const auto zero = static_cast<uint32_t>(p.offset + (p.zeros ? p.zeros[at + c] : 0));
      const uint32_t centred = (sum[c] << p.sum_shift) - zero * static_cast<uint32_t>(sums[b]);
      t[c] = std::fma(static_cast<float>(static_cast<int32_t>(centred)), p.scales[at + c], t[c]);
    }
  }
  for (int64_t n = tile * kTileS8, c = 0; c < kTileS8 && n + c < p.n; ++c) {
    const float v = std::fma(t[c], row_scale, p.bias[n + c]);
    const float above = v < p.lo ? p.lo : v;
    y[n + c] = above > p.hi ? p.hi : above;
  }
}

void real(const MatmulRealS8& p, const int8_t* a, const int32_t* sums, const float* row_scales,
          int64_t m, float* out, int64_t panel_begin, int64_t panel_end) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t tile = 2 * panel_begin; tile < 2 * panel_end; ++tile)
      real_tile(p, tile, a + i * p.k_padded, sums + i * p.blocks(), row_scales[i], out + i * p.n);
}

}  // namespace

const MatmulS8Core kMatmulS8 = {
    .block = block,
    .vector = vector,
    .unpack = unpack,
    .sums = sums,
    .dense_rows = false,
    .real = real,
    .serial_macs = 10e3,
};

}  // namespace nibble::kernels::portable
