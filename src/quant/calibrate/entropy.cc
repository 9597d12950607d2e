// Entropy calibration: the threshold T on |x| whose quantised histogram diverges least (KL) from
// the real one (kl_divergence.h). Source: Migacz, "8-bit Inference with TensorRT", GTC 2017. A
// heuristic for 8 bits; below that mse is the better choice.
//   levels: 2^(b-1) magnitudes for symmetric kinds and two-sided data, 2^b for one-sided data;
//   range [-T, T] cut to the values seen. Bin 0 is left out of the search: the spike of a ReLU at
//   zero would decide alone, and zero is exact on every grid.
// 2048 bins up to the largest |x|, made from the streaming histogram (which has 2 to 4 bins for
// each): counts of a bin that an edge cuts are shared in proportion.

#include <algorithm>
#include <cmath>

#include "quant/calibrate/estimator.h"
#include "quant/calibrate/histogram.h"
#include "quant/calibrate/kl_divergence.h"
#include "quant/graph/error.h"

namespace nibble::calibrate {
namespace {

constexpr size_t kBins = 2048;
constexpr int kMostBits = 11;

std::vector<double> magnitudes(const Histogram& histogram, double largest) {
  std::vector<double> bins(kBins);
  const double scale = static_cast<double>(kBins) / largest;
  for (int32_t i = 0; i < Histogram::kSide; ++i) {
    const auto count = static_cast<double>(histogram.magnitude_bin(i).count);
    if (count == 0) continue;
    const double from = i * histogram.width() * scale;
    const double to = std::min((i + 1) * histogram.width() * scale, static_cast<double>(kBins));
    if (!(to > from)) {  // values equal to the largest, in a bin of their own
      bins.back() += count;
      continue;
    }
    for (auto j = static_cast<size_t>(from); j < kBins && static_cast<double>(j) < to; ++j) {
      const auto edge = static_cast<double>(j);
      bins[j] += count * (std::min(edge + 1, to) - std::max(edge, from)) / (to - from);
    }
  }
  bins[0] = 0;
  return bins;
}

class Entropy : public Estimator {
 public:
  Affine finish(const GridSpec& grid) const override {
    if (grid.bits > kMostBits)
      throw Error(ErrorKind::kUsage, "range method 'entropy' fits at most " +
                                         std::to_string(kMostBits) + " bits, found " +
                                         std::to_string(grid.bits) + "; use mse or minmax");
    const double largest = std::max(-double{lowest}, double{highest});
    if (largest == 0) return {};
    const bool one_sided = !numeric::is_symmetric(grid.range) && (lowest >= 0 || highest <= 0);
    const size_t levels = size_t{1} << (one_sided ? grid.bits : grid.bits - 1);
    const size_t kept = kl_threshold(magnitudes(histogram_, largest), levels);
    const double threshold =
        std::min((static_cast<double>(kept) + 0.5) * largest / static_cast<double>(kBins), largest);
    const auto t = static_cast<float>(threshold);
    return affine_from_range(std::max(lowest, -t), std::min(highest, t), grid);
  }

 private:
  void add(std::span<const float> batch, float lo, float hi) override {
    histogram_.add(batch, std::max(-lo, hi));
  }
  void absorb(const Estimator& other) override {
    histogram_.merge(static_cast<const Entropy&>(other).histogram_);
  }

  Histogram histogram_;
};

}  // namespace

namespace method {

extern const RangeMethod entropy;
const RangeMethod entropy = {
    .make = [](const Parameters&) { return std::make_unique<Entropy>(); },
};

}  // namespace method
}  // namespace nibble::calibrate
