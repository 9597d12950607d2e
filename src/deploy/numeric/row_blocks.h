#pragma once

#include <cstdint>
#include <string_view>

namespace nibble::numeric {

/// How many k of a channel may share a scale where rows of 8-bit codes have scales of their own
/// (docs/numerics.md, "Weight-only ops"): these, or all of them, and no more than kLongestRowBlock.
constexpr bool is_row_block(int64_t k) {
  return k == 16 || k == 32 || (k > 0 && k % 64 == 0);
}
inline constexpr std::string_view kRowBlocks = "16, 32 or a multiple of 64";

/// Sums of a block fit int32: |code of a row| <= 128, |code - offset - zero point of a weight| <=
/// 255 + 128.
inline constexpr int64_t kLongestRowBlock = INT32_MAX / (128 * (255 + 128));

}  // namespace nibble::numeric
