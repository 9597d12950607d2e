// Any function of 8-bit codes, code by code: as 256 results, and as steps, which vectors can count.
//
// A block is the 16 codes that share their upper four bits. Where the function does not fall within
// a block,
//   f(q) = base[upper bits of q] + the number of j with (lower bits of q) > below[j][upper bits]
// takes 2 + 3 `steps` operations for a register of codes. A Requantize never falls: from 8 bits to
// b it climbs about 2^(b - 4) times a block.
#pragma once

#include <cstdint>

namespace nibble::kernels {

struct CodeMap {
  static constexpr int kMostSteps = 16;

  int8_t of[256] = {};                // f(q), by the bits of q
  int8_t base[16] = {};               // f of the first code of each block
  int8_t below[kMostSteps][16] = {};  // the last of the lower bits that has not climbed; 15: never
  int steps = 0;                      // used of `below`; -1: no block description, only `of`
};

/// f from its 256 results, that of code -128 first.
CodeMap make_code_map(const int8_t* results);

/// y[i] = f(x[i]). Any n >= 0, no alignment, y may be x. Every ISA gives the same bytes.
using MapCodesKernel = void(const CodeMap& f, const int8_t* x, int8_t* y, int64_t n);

/// The second result of a kernel whose first one is codes: those through a map, laid out alike. A
/// task makes it of the rows that it has just written, while they are in its nearest cache.
struct CodeCopy {
  MapCodesKernel* kernel = nullptr;  // null: no second result
  const CodeMap* map = nullptr;
  const int8_t* from = nullptr;  // the first result
  int8_t* to = nullptr;

  /// Of `rows` rows of n codes from `at` on, which lie `stride` bytes apart in the first result.
  void operator()(const int8_t* at, int64_t rows, int64_t n, int64_t stride) const {
    if (!kernel) return;
    if (n == stride) n *= rows, rows = 1;
    for (int64_t r = 0; r < rows; ++r, at += stride) kernel(*map, at, to + (at - from), n);
  }
};

}  // namespace nibble::kernels
