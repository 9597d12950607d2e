// Mean over batches of the extremes of each batch, every batch weighted by its number of elements.
// Source: Nagel et al., "A White Paper on Neural Network Quantization", 2021, section 3.1 (variants
// of min-max); the weighting keeps a short last batch from counting as much as a full one.

#include "quant/calibrate/estimator.h"

namespace nibble::calibrate {
namespace {

class AverageMinMax : public Estimator {
 public:
  Affine finish(const GridSpec& grid) const override {
    if (weight_ == 0) return {};
    return affine_from_range(static_cast<float>(lo_ / weight_), static_cast<float>(hi_ / weight_),
                             grid);
  }

 private:
  void add(std::span<const float> batch, float lo, float hi) override {
    const auto n = static_cast<double>(batch.size());
    weight_ += n;
    lo_ += n * lo;
    hi_ += n * hi;
  }

  void absorb(const Estimator& estimator) override {
    const auto& other = static_cast<const AverageMinMax&>(estimator);
    weight_ += other.weight_;
    lo_ += other.lo_;
    hi_ += other.hi_;
  }

  double weight_ = 0, lo_ = 0, hi_ = 0;
};

}  // namespace

namespace method {

extern const RangeMethod average_minmax;
const RangeMethod average_minmax = {
    .make = [](const Parameters&) { return std::make_unique<AverageMinMax>(); },
};

}  // namespace method
}  // namespace nibble::calibrate
