#pragma once

#include <functional>
#include <span>
#include <vector>

#include "deploy/kernels/choice/table.h"

namespace nibble::kernels {

/// A product that is timed: multiples of 32 channels and 64 k.
struct MeasuredProduct {
  int64_t channels, k;
};
/// A small layer, where what comes before and after the sums shows, and a large one that fits a
/// second-level cache at every width.
inline constexpr MeasuredProduct kMeasuredProducts[] = {{64, 64}, {256, 1024}};

/// Times every kernel of integer products that this machine runs at or below the ceiling: weights
/// of every width, activations of 1, 2, 4 and 8 bits (where the kernel can win), 1, 8 and 128 rows,
/// on one thread; Winograd on images of about as many rows and k. The best of
/// several runs of at least `seconds` each is an entry. `done(share)` is called as it goes, share
/// in 0..1.
std::vector<KernelTable::Entry> measure_products(
    Isa ceiling, double seconds, const std::function<void(double)>& done,
    std::span<const MeasuredProduct> products = kMeasuredProducts);

/// The text of a table (table.h) that holds the entries.
std::string to_text(const std::vector<KernelTable::Entry>& entries);

}  // namespace nibble::kernels
