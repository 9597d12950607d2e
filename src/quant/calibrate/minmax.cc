// Running min-max: lo, hi over all values of all batches. No value is clipped, so one outlier
// decides. Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference", CVPR 2018, section 3 (weights).

#include "quant/calibrate/estimator.h"

namespace nibble::calibrate {
namespace {

class MinMax : public Estimator {
 public:
  Affine finish(const GridSpec& grid) const override {
    return affine_from_range(lowest, highest, grid);
  }

 private:
  void add(std::span<const float>, float, float) override {}  // the base keeps the extremes
  void absorb(const Estimator&) override {}
};

}  // namespace

namespace method {

extern const RangeMethod minmax;
const RangeMethod minmax = {
    .never_worse_than_minmax = true,
    .make = [](const Parameters&) { return std::make_unique<MinMax>(); },
};

}  // namespace method
}  // namespace nibble::calibrate
