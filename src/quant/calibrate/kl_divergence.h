#pragma once

#include <cstddef>
#include <span>

namespace nibble::calibrate {

/// Number i of bins to keep, levels <= i <= N, with the least Kullback-Leibler divergence between
/// `histogram` (of |x|, N bins of equal width, counts) clipped after i bins and its quantised form
/// of `levels` levels (Migacz 2017). For each i:
///   P  the first i bins, all counts beyond added to the last;
///   Q  the first i bins without those, merged into `levels` groups of i / levels bins (the last
///      takes the remainder), each sum spread evenly over its non-zero bins;
///   both normalised; 1e-4 given to every zero bin and taken from the others in proportion (so a
///   bin that P has and Q lacks costs much, and none turns negative);  D = sum P ln(P / Q).
/// Of equal divergences the widest range wins. N when N < levels or the histogram is empty.
/// O(N levels).
size_t kl_threshold(std::span<const double> histogram, size_t levels);

}  // namespace nibble::calibrate
