#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "deploy/base/status.h"
#include "deploy/model/attributes.h"
#include "deploy/numeric/requantise.h"
#include "deploy/run/step.h"

namespace nibble::run::simulate {

// Simulation in real numbers (phase kAnnotated): every quantised tensor is f32 on its grid. A step
// recovers integers from its operands, computes docs/numerics.md as it is written (zero points
// unfolded, sums in binary64, exact below 2^53) and writes s (q - z).

/// A grid with one scale.
struct OneScale {
  float scale = 1;
  int32_t zero = 0, qmin = 0, qmax = 0;
  bool binary = false;

  /// The code of any real.
  int32_t code(float x) const {
    return binary ? numeric::quantize_binary(x)
                  : numeric::quantize_affine(x, scale, zero, qmin, qmax);
  }
  /// q - z of a value on the grid.
  double centred(float x) const { return numeric::round_half_even(double{x} / double{scale}); }
  float value(int32_t code) const { return scale * static_cast<float>(code - zero); }
};

/// The grid of an operand; an error naming what is missing when it has none, or many scales.
Result<OneScale> one_scale(const Operand& operand);

/// q - z of n values.
void centre(const OneScale& grid, const float* x, int64_t n, double* out);

/// What makes a code of an accumulator: R(acc, M) + z_y, clamped to grid and fused activation.
class Output {
 public:
  Output() = default;
  Output(const PrepareContext& context, const OneScale& grid);

  const OneScale& grid() const { return grid_; }
  numeric::RequantiseVariant variant() const { return variant_; }
  /// Bounds of codes less the zero point.
  int32_t lo() const { return lo_ - grid_.zero; }
  int32_t hi() const { return hi_ - grid_.zero; }

  /// The value on the grid that an integer accumulator becomes.
  float requantise(double acc, double m) const;
  /// The value of a code less the zero point, clamped.
  float clamped(int64_t centred) const;

 private:
  OneScale grid_;
  int32_t lo_ = 0, hi_ = 0;
  numeric::RequantiseVariant variant_ = numeric::RequantiseVariant::kFloat;
};

/// Integers of a weighted op: constants, read when it is prepared.
struct Weights {
  std::vector<double> centred;  // q_w - z_w, in the order of the tensor
  std::vector<double> bias;     // q_b by channel
  std::vector<double> factor;   // M by channel
};

/// `axis` counts output channels in the weights (input 1); input 2, if there, is the bias.
Result<Weights> weights_of(const PrepareContext& context, int axis, const OneScale& x,
                           const OneScale& y);

}  // namespace nibble::run::simulate
