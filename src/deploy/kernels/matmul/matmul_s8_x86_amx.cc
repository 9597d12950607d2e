#include <immintrin.h>

#include "deploy/kernels/matmul/finish_s8.h"
#include "deploy/kernels/simd/x86_avx512_output_s8.h"

namespace nibble::kernels::avx512vnni {
// Single rows, unpacking and row sums have no use for tiles.
VectorCoreS8 vector_s8;
UnpackS8 unpack_s8;
SumsS8Core sums_s8;
RealCoreS8 real_s8;
}  // namespace nibble::kernels::avx512vnni

namespace nibble::kernels::amx {
namespace {

constexpr int64_t kRows = 16;  // of one register

/// Tiles 0..3: sums of rows 0-15 and 16-31 by two tiles of channels; 4, 5: rows of A; 6, 7: codes.
struct alignas(64) Configuration {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes_per_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {};

  Configuration(int64_t low, int64_t high) {
    const auto a = static_cast<uint8_t>(low), b = static_cast<uint8_t>(high ? high : 1);
    rows[0] = rows[1] = rows[4] = a;
    rows[2] = rows[3] = rows[5] = b;
    rows[6] = rows[7] = 16;
  }
};
static_assert(sizeof(Configuration) == 64);

/// GCC's tile intrinsics do not say which memory they read or write: without a barrier stores to it
/// may be moved past them, or dropped.
inline void memory_barrier() {
  __asm__ volatile("" ::: "memory");
}

/// Up to 32 rows (`high` of them in the second half, maybe none) by two tiles of channels.
struct Pair {
  const int8_t* a;
  int64_t a_stride;
  const uint8_t* b;
  int64_t step_bytes;
  int64_t steps;
  int32_t* sums;
  bool first;
};

constexpr int64_t kSumStride = kBlockChannelsS8 * 4;

template <bool kHigh, bool kSecond>
void multiply(const Pair& p) {
  const int8_t* a_high = p.a + kRows * p.a_stride;
  int32_t* const high = p.sums + kRows * kBlockChannelsS8;
  if (p.first) {
    _tile_zero(0);
    if constexpr (kSecond) _tile_zero(1);
    if constexpr (kHigh) _tile_zero(2);
    if constexpr (kHigh && kSecond) _tile_zero(3);
  } else {
    _tile_loadd(0, p.sums, kSumStride);
    if constexpr (kSecond) _tile_loadd(1, p.sums + kTileS8, kSumStride);
    if constexpr (kHigh) _tile_loadd(2, high, kSumStride);
    if constexpr (kHigh && kSecond) _tile_loadd(3, high + kTileS8, kSumStride);
  }
  for (int64_t s = 0; s < p.steps; ++s) {
    const uint8_t* b = p.b + s * p.step_bytes;
    _tile_loadd(4, p.a + s * kStepS8, p.a_stride);
    _tile_loadd(6, b, 64);
    _tile_dpbsud(0, 4, 6);
    if constexpr (kSecond) {
      _tile_loadd(7, b + kTileBytesS8, 64);
      _tile_dpbsud(1, 4, 7);
    }
    if constexpr (kHigh) {
      _tile_loadd(5, a_high + s * kStepS8, p.a_stride);
      _tile_dpbsud(2, 5, 6);
      if constexpr (kSecond) _tile_dpbsud(3, 5, 7);
    }
  }
  _tile_stored(0, p.sums, kSumStride);
  if constexpr (kSecond) _tile_stored(1, p.sums + kTileS8, kSumStride);
  if constexpr (kHigh) _tile_stored(2, high, kSumStride);
  if constexpr (kHigh && kSecond) _tile_stored(3, high + kTileS8, kSumStride);
}

/// BlockCoreS8 of dense rows. Sums always pass through memory: tiles are stored there, and the
/// output stage reads them row by row.
void block(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
           const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride) {
  const int64_t a_stride = m > 1 ? rows[1] - rows[0] : 0;
  memory_barrier();
  int64_t configured = 0;  // rows that the tiles are configured for
  for (int64_t i = 0; i < m; i += 2 * kRows) {
    const int64_t count = m - i < 2 * kRows ? m - i : 2 * kRows;
    const int64_t low = count < kRows ? count : kRows, high = count - low;
    if (count != configured) {
      const Configuration configuration(low, high);
      memory_barrier();
      _tile_loadconfig(&configuration);
      configured = count;
    }
    for (int t = 0; t < block.tiles; t += 2) {
      const Pair pair{rows[i] + block.k_begin,
                      a_stride,
                      block.b + t / 2 * block.panel_bytes,
                      block.step_bytes,
                      (block.k_end - block.k_begin) / kStepS8,
                      block.sums + i * kBlockChannelsS8 + t * kTileS8,
                      block.first};
      const bool second = t + 1 < block.tiles;
      if (high)
        second ? multiply<true, true>(pair) : multiply<true, false>(pair);
      else
        second ? multiply<false, true>(pair) : multiply<false, false>(pair);
    }
  }
  _tile_release();
  memory_barrier();
  if (!block.last) return;
  BlockS8 added = block;  // what earlier blocks left is in the sums
  added.first = true;
  for (int t = 0; t < block.tiles; ++t)
    finish_tile<output_tile_avx512>(p, added, t, 0, m, block.sums + t * kTileS8, kBlockChannelsS8,
                                    row_sums, out, stride);
}

}  // namespace

const MatmulS8Core kMatmulS8 = {
    .block = block,
    .vector = avx512vnni::vector_s8,
    .unpack = avx512vnni::unpack_s8,
    .sums = avx512vnni::sums_s8,
    .dense_rows = true,
    .real = avx512vnni::real_s8,
    .serial_macs = 1e6,
};

}  // namespace nibble::kernels::amx
