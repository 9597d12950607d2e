#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nibble::format {

/// planes: 3, 5, 6 and 7 bits, as a list of parts from {4, 2, 1}, high bits first: 3 = 2 + 1, 5 = 4
/// + 1, 6 = 4 + 2, 7 = 4 + 2 + 1.
///
/// Each part is a field stream (field.h) over the same tile; the data of a tile are all its parts,
/// the high part first, 128 b bytes in sum. A code is the join of its parts: u = p2 << 1 | p1 at 3
/// bits, p4 << 3 | p2 << 1 | p1 at 7.
/// Why: every part unpacks in two instructions and joins with one OR, and 3 bits cost 3 bits.
/// Rejected: ten 3-bit codes in 32 bits (wastes 2, needs a division); 5- and 6-bit codes across
/// byte borders (slow shuffles, no random access).

/// The parts of a width of 1..7 bits; one part for 4, 2 and 1.
std::span<const int> parts_of(int bits);

/// Packs one tile of 1024 codes (one a byte) of `bits` 1..8 into 128 * bits bytes; 8 bits are a
/// copy.
void pack_tile(int bits, const uint8_t* codes, std::byte* out);
void unpack_tile(int bits, const std::byte* in, uint8_t* codes);

}  // namespace nibble::format
