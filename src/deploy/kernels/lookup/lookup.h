#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "deploy/base/cpu.h"
#include "deploy/base/divide.h"
#include "deploy/base/thread_pool.h"
#include "deploy/kernels/matmul/rows.h"
#include "deploy/kernels/requantise/code_map.h"
#include "deploy/kernels/simd/output_s8.h"

namespace nibble::kernels {

inline constexpr int64_t kLookupTile = 64;    // channels
inline constexpr int64_t kLookupBlock = 256;  // k: what 16 bits hold the sums of
inline constexpr int64_t kLookupStep = 32;    // k is padded to it
inline constexpr int64_t kLookupRows = 8;     // of a task, at most

/// Products by tables: of a plane of single bits of the weights, four k of a channel are one of 16
/// patterns, and what each adds is looked up in a table of the four activations,
///   sum[m][n] = sum_b 2^b sum_g T[m][g][bits b of u[n][4g .. 4g+3]],
///   T[m][g][i] = sum_j (bit j of i) a[m][4g + j]                     (mod 2^32).
/// A table is a register that bytes are permuted by: one instruction looks up as many channels as
/// it has bytes, and nothing is multiplied. The work grows with the bits of the weights: for one to
/// three of them and few rows, each of which has tables of its own.
///
/// Weights are unsigned codes (docs/formats/packed.md), activations lie in [a_min, a_max].
///
/// The order of the weights lives in memory only: [block of 256 k][tile of 64 channels][plane]
/// [k / 8][64 channels] bytes, bit i of a byte is k = 8 byte + i; the last block holds what is left
/// of k_padded. Channels and k behind the last one are 0. A block's tables stay in the nearest
/// cache while all its weights pass, which are read forward.
struct Lookup {
  const uint8_t* w = nullptr;  // 64-byte aligned
  int planes = 1;
  int64_t n = 0;
  int64_t k_padded = 0;               // a multiple of kLookupStep
  int32_t a_min = -128, a_max = 127;  // a_min <= 0 <= a_max
  OutputS8 output{};

  /// Whether an entry, less its least value of 4 a_min, is two bytes of five bits each. If not, it
  /// is one of six bits.
  bool wide() const { return a_max - a_min > 15; }
};

/// What a core computes at once: rows by the tiles [begin, end).
struct LookupTask {
  const int8_t* a = nullptr;  // [rows][k_padded] codes, zero behind k
  const int32_t* row_sums = nullptr;
  int64_t rows = 0;                  // 1 .. kLookupRows
  int8_t* out = nullptr;             // row 0 of channel 0, rows `stride` bytes apart
  const int8_t* residual = nullptr;  // laid out as `out`; null: none
  int64_t stride = 0;
  int64_t begin = 0, end = 0;
  std::byte* scratch = nullptr;  // 64-byte aligned, lookup_scratch(rows, end - begin) bytes

  int64_t channels() const { return (end - begin) * kLookupTile; }
};
using LookupCore = void(const Lookup& p, const LookupTask& task);

/// The tables of one row and block.
inline constexpr int64_t kLookupTables = kLookupBlock / 4 * 32;
/// Scratch of a core: tables [rows], then sums [rows][tiles][64] of 32 bits.
constexpr size_t lookup_scratch(int64_t rows, int64_t tiles) {
  return static_cast<size_t>(rows * (kLookupTables + tiles * kLookupTile * 4));
}

struct LookupVariant {
  Isa isa;
  std::string_view name;  // "lookup/avx2"
  LookupCore* core;
};

/// All variants of this build, worst first.
std::span<const LookupVariant> lookup_variants();

/// The memory of one product.
struct LookupData {
  const int8_t* a = nullptr;  // what the plan speaks of
  const int32_t* row_sums = nullptr;
  int8_t* out = nullptr;  // rows lie `stride` bytes apart
  const int8_t* residual = nullptr;
  int64_t stride = 0;
  std::byte* workspace = nullptr;  // 64-byte aligned, lookup_workspace() bytes
  CodeCopy copy{};                 // of `out`
};

/// The whole product on the threads of `pool`. k is the plan's.
void lookup(const LookupVariant& variant, const Lookup& p, const RowPlan& plan,
            const LookupData& data, ThreadPool& pool);
size_t lookup_workspace(const Lookup& p, const RowPlan& plan, int threads);

constexpr int64_t lookup_k_padded(int64_t k) {
  return divide_up(k, kLookupStep) * kLookupStep;
}
constexpr int64_t lookup_bytes(int bits, int64_t n, int64_t k) {
  return divide_up(n, kLookupTile) * kLookupTile * lookup_k_padded(k) / 8 * bits;
}
/// Codes [n][k] in the order above; `bytes` has lookup_bytes() elements.
void pack_lookup(const uint8_t* codes, int bits, int64_t n, int64_t k, uint8_t* bytes);

/// Offset of a plane of a tile in the block that begins at k, and the bytes of one channel there.
struct LookupPlane {
  int64_t at, bytes;
};
constexpr LookupPlane lookup_plane(int planes, int64_t n, int64_t k_padded, int64_t k, int64_t tile,
                                   int plane) {
  const int64_t left = k_padded - k, bytes = (left < kLookupBlock ? left : kLookupBlock) / 8;
  const int64_t tiles = divide_up(n, kLookupTile);
  return {kLookupTile * planes * (tiles * k / 8 + tile * bytes) + kLookupTile * plane * bytes,
          bytes};
}

#define NIBBLE_LOOKUP(isa, space) \
  namespace space {               \
  LookupCore lookup_core;         \
  }
#include "deploy/kernels/lookup/kernels.inc"
#undef NIBBLE_LOOKUP

}  // namespace nibble::kernels
