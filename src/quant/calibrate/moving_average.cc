// Exponential moving average of the extremes of each batch:
//   lo <- m lo + (1 - m) lo_batch, hi likewise; the first batch initialises.
// Source: Jacob et al. 2018, section 3.1 (activations). m is the decay of the OLD value (libraries
// whose "momentum" multiplies the new one behave the opposite way).

#include <cmath>

#include "quant/calibrate/estimator.h"

namespace nibble::calibrate {
namespace {

struct Ends {
  double lo = 0, hi = 0;
};

class MovingAverage : public Estimator {
 public:
  explicit MovingAverage(double decay) : decay_(decay) {}

  Affine finish(const GridSpec& grid) const override {
    return affine_from_range(static_cast<float>(average_.lo), static_cast<float>(average_.hi),
                             grid);
  }

 private:
  void add(std::span<const float>, float lo, float hi) override {
    if (batches_++ == 0) {
      first_ = average_ = {lo, hi};
      return;
    }
    average_.lo = decay_ * average_.lo + (1 - decay_) * lo;
    average_.hi = decay_ * average_.hi + (1 - decay_) * hi;
  }

  /// The average over both streams in order: a stream's average is linear in its start, so the
  /// other's start (its first batch) is replaced by this average, up to one decay.
  void absorb(const Estimator& estimator) override {
    const auto& other = static_cast<const MovingAverage&>(estimator);
    if (batches_ == 0) {
      first_ = other.first_;
      average_ = other.average_;
    } else {
      const double weight = std::pow(decay_, static_cast<double>(other.batches_));
      average_.lo = other.average_.lo + weight * (average_.lo - other.first_.lo);
      average_.hi = other.average_.hi + weight * (average_.hi - other.first_.hi);
    }
    batches_ += other.batches_;
  }

  double decay_;
  int64_t batches_ = 0;
  Ends first_, average_;
};

}  // namespace

namespace method {

extern const RangeMethod moving_average;
const RangeMethod moving_average = {
    .parameters = {{"decay", 0.99, 0, 1, "decay of the old value"}},
    .make = [](const Parameters& p) { return std::make_unique<MovingAverage>(p.at("decay")); },
};

}  // namespace method
}  // namespace nibble::calibrate
