#pragma once

#include <cstddef>
#include <cstdint>

#include "deploy/kernels/simd/output_s8.h"

namespace nibble::kernels {

/// Packed integer weights (docs/formats/packed.md): panels of 32 channels, k steps of 64, tiles of
/// 16 channels.
inline constexpr int64_t kPanelS8 = 32;
inline constexpr int64_t kTileS8 = 16;
inline constexpr int64_t kStepS8 = 64;
/// Bytes of a tile's step at 8 bits.
inline constexpr int64_t kTileBytesS8 = kTileS8 * kStepS8;
/// Channels that a core computes at once at the most: two panels.
inline constexpr int64_t kBlockChannelsS8 = 64;

/// k of a block (BlockS8), at most.
inline constexpr int64_t kMostBlockK = 768;

/// One product of signed 8-bit rows and unsigned weights of 1 to 8 bits,
///   sum[m][n] = sum_k u[n][k] a[m][k]   in int32,   y = OutputS8(sum, row_sum[m]).
/// Exact: no path saturates, so all cores, tilings and thread counts give the same bytes.
///
/// A is implicit, as in MatmulF32: `segments` runs of `length` bytes, a multiple of 4. B is the
/// stream of one group as it lies in the file, 64-byte aligned; `n_padded` channels (a multiple of
/// 16: the last panel of a group may be one tile wide), k padded to `k_padded` with codes that
/// a zero in A cancels. Zero points lie within -16384..16383.
struct MatmulS8 {
  const std::byte* b = nullptr;
  int bits = 8;
  int64_t n = 0;
  int64_t n_padded = 0;
  int64_t k_padded = 0;
  const int64_t* segment = nullptr;
  int64_t segments = 0;
  int64_t length = 0;
  int32_t a_max = 128;  // promise: |a| <= a_max; sums of narrow products then fit int16 for longer
  OutputS8 output{};

  int64_t k() const { return segments * length; }
};

/// Part of a product: the channels of one or two panels from `n` on, k in [k_begin, k_end).
///
/// Weights are 8-bit codes (unpacked, or as stored). Step s of tile t lies at b + (t / 2)
/// panel_bytes + s step_bytes + (t % 2) kTileBytesS8; step 0 holds k_begin, a multiple of 64.
struct BlockS8 {
  const uint8_t* b = nullptr;
  int64_t panel_bytes = 0;
  int64_t step_bytes = 0;
  int tiles = 0;  // 1 .. 4
  int64_t n = 0;
  int64_t k_begin = 0, k_end = 0;  // at most kMostBlockK apart
  /// Sums [m][64], 64-byte aligned: read unless `first` (k_begin is 0), written unless `last`
  /// (nothing follows k_end). A core may use it as it likes where it is both.
  int32_t* sums = nullptr;
  bool first = true, last = true;
  /// MatmulS8Core::code_scratch bytes a code, 64-byte aligned.
  std::byte* scratch = nullptr;
  /// Codes to add, laid out as `out`; null: none.
  const int8_t* residual = nullptr;
};

/// Computes rows 0..m of a block: `out` is row 0 of channel block.n, rows lie `stride` bytes apart.
/// `row_sums` may be null where the core folds zeros.
using BlockCoreS8 = void(const MatmulS8& p, const BlockS8& block, const int8_t* const* rows,
                         const int32_t* row_sums, int64_t m, int8_t* out, int64_t stride);

/// One row by the panels [panel_begin, panel_end), weights as stored. `a` is k_padded codes, zero
/// behind k; segments are not looked at. `out` and `residual` (or null) begin at channel 0.
using VectorCoreS8 = void(const MatmulS8& p, const int8_t* a, int32_t row_sum, int8_t* out,
                          const int8_t* residual, int64_t panel_begin, int64_t panel_end);

/// `tiles` tiles of a stream of `bits` 1..7 as 8-bit codes.
using UnpackS8 = void(int bits, const std::byte* stream, int64_t tiles, uint8_t* out);

/// sums[i] = the sum of the k bytes from a + i * k on, modulo 2^32.
using SumsS8Core = void(const int8_t* a, int64_t rows, int64_t k, int32_t* sums);

/// A product of rows that have a scale of their own and weights with a scale a block of k. In
/// binary32, all sums of a block within int32:
///
///   c[b] = sum over k in block b of ((u[n][k] << sum_shift) - offset - zeros[b][n]) a[m][k]
///   t = fma(float(c[b]), scales[b][n], t)                       b ascending, from t = 0
///   y[m][n] = min(max(fma(t, row_scales[m], bias[n]), lo), hi)  NaN kept
///
/// B as in MatmulS8, in whole panels. Scales, zeros: [panel][k_padded / block, rounded up][32]. A:
/// rows of k_padded codes, zero behind k. `block` is 16, 32 or a multiple of 64.
struct MatmulRealS8 {
  const std::byte* b = nullptr;
  int bits = 8;
  int64_t n = 0;
  int64_t k_padded = 0;
  int64_t block = 64;
  int32_t offset = 0;
  int32_t sum_shift = 0;
  const float* scales = nullptr;
  const uint8_t* zeros = nullptr;  // null: none
  const float* bias = nullptr;     // [panels * 32]
  float lo = 0, hi = 0;            // -inf, inf where a side is open

  int64_t blocks() const { return (k_padded + block - 1) / block; }
};

/// Rows 0..m by the panels [panel_begin, panel_end). `sums`: [m][blocks] sums of the codes of a
/// block; `out`: rows of n reals.
using RealCoreS8 = void(const MatmulRealS8& p, const int8_t* a, const int32_t* sums,
                        const float* row_scales, int64_t m, float* out, int64_t panel_begin,
                        int64_t panel_end);

/// What an ISA brings to the family.
struct MatmulS8Core {
  BlockCoreS8* block;
  VectorCoreS8* vector;
  UnpackS8* unpack;
  SumsS8Core* sums;
  /// The block core wants one segment of k_padded codes a row, zero behind k, rows evenly spaced.
  bool dense_rows;
  RealCoreS8* real;
  /// Multiplications that take about 3 us: for fewer a second thread does not pay.
  double serial_macs;
  /// Workspace that the block core wants for a code of the weights, in bytes.
  size_t code_scratch = 0;
  /// Whether the block core takes the zero points off the weights of p: it needs no sums of rows
  /// then. Null: of none.
  bool (*folds_zeros)(const MatmulS8& p) = nullptr;
};

#define NIBBLE_MATMUL_F32(isa, space)
#define NIBBLE_MATMUL_S8(isa, space)   \
  namespace space {                    \
  extern const MatmulS8Core kMatmulS8; \
  }
#include "deploy/kernels/matmul/kernels.inc"
#undef NIBBLE_MATMUL_F32
#undef NIBBLE_MATMUL_S8

}  // namespace nibble::kernels
