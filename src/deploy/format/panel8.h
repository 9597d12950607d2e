#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "deploy/format/format.h"

namespace nibble::format {

/// panel8: 8-bit weight codes for GEMM, GEMV and convolutions, and the order of every narrower
/// width.
///
/// A pointer means: 64-byte aligned, first byte of panel 0 of group 0, read strictly forward; no
/// header inside. W is n x k (output channels x reduction). Panels of 32 channels -> k steps of 64
/// -> tiles of 16 channels -> 16 vectors of 64 bytes. Byte 4 c + i of vector z of a tile is
///   u[16 tile + c][64 step + 4 z + i],  c = 0..15, i = 0..3.
/// k runs over (kh, kw, c_pad), c innermost; n is padded to 32, k to 64, c to 4 (docs/formats/).
/// In a file with groups > 1, n is padded to 16: the last panel of a group may be one tile wide.
/// Why: a tile is an AMX B tile (16 rows of 64 bytes) and 16 VNNI operands; a 16-byte quarter of a
/// vector is [4 channels][4 k], the ARM dot-product operand; a 32-byte half the AVX2 operand.
/// Rejected: one order per ISA (files would belong to a CPU), signed bytes (vpdpbusd wants u8 x
/// s8).

/// Position of code (n, k) in one group's stream of `channels` (padded) x `k_padded` codes.
constexpr int64_t panel8_offset(int64_t channels, int64_t k_padded, int64_t n, int64_t k) {
  const int64_t panel = n / kPanelChannels;
  const int64_t left = channels - panel * kPanelChannels;
  const int64_t width = left < kPanelChannels ? left : kPanelChannels;
  return panel * kPanelChannels * k_padded + k / kStep * width * kStep +
         n % kPanelChannels / kTileChannels * kTileBytes + k % kStep / 4 * kVectorBytes +
         n % kTileChannels * 4 + k % 4;
}

/// Row-major [groups][n][kh][kw][c] codes into / out of panel8 order with `channels` padded
/// channels a group; padding gets the offset code.
void rows_to_panel8(const PackedRecord& record, int64_t channels, const uint8_t* rows,
                    uint8_t* panel8);
void panel8_to_rows(const PackedRecord& record, int64_t channels, const uint8_t* panel8,
                    uint8_t* rows);

}  // namespace nibble::format
