#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "deploy/base/cpu.h"
#include "deploy/base/thread_pool.h"
#include "deploy/kernels/matmul/rows.h"
#include "deploy/kernels/requantise/code_map.h"
#include "deploy/kernels/simd/output_s8.h"

namespace nibble::kernels {

/// Products by counting bits: a code of b bits is a sum of b planes of single bits, so
///   sum[m][n] = sum_k u[n][k] a[m][k] = sum_(i, j) +-2^(i + j) popcount(A_i[m] & W_j[n]).
/// The work grows with the product of the widths and shrinks with 64 k a word: for one or two bits.
///
/// Weights are unsigned codes (docs/formats/packed.md), activations unsigned ones, or signed ones
/// in two's complement, whose top plane counts negatively. Padding bits are 0 in one operand.
///
/// The order of the weights lives in memory only: [n / 16][plane][k / 64][16 channels] words of 64
/// bits, bit t of a word is k = 64 word + t. Sixteen channels lie side by side, so that counts end
/// up one channel a lane and nothing is added across lanes. (Rejected: whole rows of a channel one
/// after the other, which adds up a register for every sum.)
struct BitSerial {
  const uint64_t* w = nullptr;  // 64-byte aligned
  int w_planes = 1, a_planes = 1;
  bool a_signed = false;
  int64_t n = 0;
  const int64_t* segment = nullptr;  // of a row, in words; as MatmulS8
  int64_t segments = 0;
  int64_t length = 0;
  int64_t a_plane = 0;  // words from a plane of A to the next
  OutputS8 output{};

  int64_t words() const { return segments * length; }
};

inline constexpr int64_t kBitTile = 16;  // channels

/// Computes rows 0..m (word pointers into plane 0) by the tiles of 16 channels [begin, end): `out`
/// and `residual` (or null) are row 0 of channel 0, rows lie `stride` bytes apart.
using BitSerialCore = void(const BitSerial& p, const uint64_t* const* rows, const int32_t* row_sums,
                           int64_t m, int8_t* out, const int8_t* residual, int64_t stride,
                           int64_t begin, int64_t end);

/// planes[i][pixel][word] = bit i of the codes x[pixel][channel], 64 channels a word, zero behind
/// the last one; planes lie `plane` words apart.
using BitPlanesCore = void(const int8_t* x, int64_t pixels, int64_t channels, int planes,
                           int64_t plane, uint64_t* out);

struct BitSerialVariant {
  Isa isa;
  std::string_view name;  // "bitserial/avx2"
  BitSerialCore* product;
  BitPlanesCore* planes;
  bool (*runs)();  // what the CPU must have besides the ISA
};

/// All variants of this build, worst first.
std::span<const BitSerialVariant> bitserial_variants();
/// The best one at or below the ceiling.
const BitSerialVariant& select_bitserial(Isa ceiling);

/// The whole product on the threads of `pool`; segments are taken from the plan, which speaks of
/// words. `copy`: of `out`.
void bitserial(const BitSerialVariant& variant, BitSerial p, const RowPlan& plan, const uint64_t* a,
               const int32_t* row_sums, int8_t* out, const int8_t* residual, int64_t stride,
               ThreadPool& pool, const CodeCopy& copy = {});

/// Codes [n][taps][channels] as words of the order above; `words` has bitserial_words() elements.
void pack_bitserial(const uint8_t* codes, int bits, int64_t n, int64_t taps, int64_t channels,
                    uint64_t* words);
constexpr int64_t bitserial_words(int bits, int64_t n, int64_t taps, int64_t channels) {
  return (n + kBitTile - 1) / kBitTile * bits * taps * ((channels + 63) / 64) * kBitTile;
}

#define NIBBLE_BITSERIAL(isa, space, needs) \
  namespace space {                         \
  BitSerialCore bitserial;                  \
  BitPlanesCore bit_planes;                 \
  }
#include "deploy/kernels/bitserial/kernels.inc"
#undef NIBBLE_BITSERIAL

}  // namespace nibble::kernels
