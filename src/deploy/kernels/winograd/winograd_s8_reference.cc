#include "deploy/kernels/simd/output_s8_reference.h"
#include "deploy/kernels/winograd/winograd_s8.h"

namespace nibble::kernels::portable {
namespace {

void input(const int8_t* const* patch, int64_t channels, int16_t* v, int64_t plane) {
  for (int64_t c = 0; c < channels; ++c) {
    int t[4][4];  // B'd
    for (int j = 0; j < 4; ++j) {
      const int d0 = patch[j][c], d1 = patch[4 + j][c], d2 = patch[8 + j][c], d3 = patch[12 + j][c];
      t[0][j] = d0 - d2, t[1][j] = d1 + d2, t[2][j] = d2 - d1, t[3][j] = d1 - d3;
    }
    for (int i = 0; i < 4; ++i) {
      const int* r = t[i];
      const int element[4] = {r[0] - r[2], r[1] + r[2], r[2] - r[1], r[1] - r[3]};
      for (int j = 0; j < 4; ++j) v[(4 * i + j) * plane + c] = static_cast<int16_t>(element[j]);
    }
  }
}

void product(const int16_t* v, int64_t tiles, const int16_t* u, int64_t channels, int32_t* m) {
  for (int64_t t = 0; t < tiles; ++t)
    for (int64_t n = 0; n < kWinogradTile; ++n) {
      uint32_t sum = 0;
      for (int64_t c = 0; c < channels; ++c)
        sum += static_cast<uint32_t>(v[t * channels + c] *
                                     u[c / 2 * 2 * kWinogradTile + 2 * n + c % 2]);
      m[t * kWinogradTile + n] = static_cast<int32_t>(sum);
    }
}

void output(const int32_t* m, int64_t plane, int64_t tiles, int32_t* sums, int64_t line) {
  for (int64_t t = 0; t < tiles; ++t)
    for (int64_t n = 0; n < kWinogradTile; ++n) {
      uint32_t s[2][4];  // A'M
      const auto at = [&](int i) {
        return static_cast<uint32_t>(m[i * plane + t * kWinogradTile + n]);
      };
      for (int j = 0; j < 4; ++j) {
        s[0][j] = at(j) + at(4 + j) + at(8 + j);
        s[1][j] = at(4 + j) - at(8 + j) - at(12 + j);
      }
      for (int i = 0; i < 2; ++i) {
        int32_t* to = sums + i * line + 2 * t * kWinogradTile + n;
        to[0] = static_cast<int32_t>(s[i][0] + s[i][1] + s[i][2]) / 4;
        to[kWinogradTile] = static_cast<int32_t>(s[i][1] - s[i][2] - s[i][3]) / 4;
      }
    }
}

void finish(const OutputS8& out, int64_t n, const TileRows& tile) {
  for (int64_t i = 0; i < tile.rows; ++i)
    for (int64_t j = 0; j < tile.channels; ++j) {
      const int64_t at = i * tile.stride + j;
      const int8_t y = output_s8(out, n + j, tile.sums[i * tile.pitch + j], 0);
      tile.out[at] = tile.residual ? add_residual_s8(out, y, tile.residual[at]) : y;
    }
}

}  // namespace

const WinogradS8Core kWinogradS8 = {input, product, output, finish};

}  // namespace nibble::kernels::portable
