#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/numeric/quant_params.h"

namespace nibble::calibrate {

/// The grid to fit: width and named range (numeric/quant_params.h).
struct GridSpec {
  int bits = 8;
  numeric::RangeKind range = numeric::RangeKind::kAsymmetric;
};

/// Scale and zero point of one unit (tensor, channel, block); the very binary32 value that is
/// stored.
struct Affine {
  float scale = 1.0f;
  int32_t zero_point = 0;
};

/// Estimates one range from a stream. Memory does not depend on the number of elements.
/// Deterministic: the same batches in the same order give the same bits. NaN elements are counted
/// and otherwise ignored.
class Estimator {
 public:
  virtual ~Estimator() = default;
  virtual void observe(std::span<const float> batch) = 0;
  /// Adds what `other` (same method, same parameters) has seen.
  virtual void merge(const Estimator& other) = 0;
  virtual Affine finish(const GridSpec& grid) const = 0;

  /// What was seen, for reports: extremes over all finite elements, counts.
  float lowest = 0, highest = 0;
  int64_t count = 0, nan_count = 0;
};

struct Parameter {
  std::string_view name;
  double otherwise, least, most;
  std::string_view meaning;
};

using Parameters = std::map<std::string, double>;

/// One range estimator: what `nibble list methods` prints and the contract tests loop over.
struct RangeMethod {
  std::string_view name;
  std::string_view summary;
  std::string_view source;  // authors, year, equation
  std::vector<Parameter> parameters;
  bool never_worse_than_minmax = false;  // promise: squared error on the observed data
  std::function<std::unique_ptr<Estimator>(const Parameters&)> make;
};

/// All methods of methods.inc, in order; and one by name (throws Error(kUsage) listing the valid
/// names, and checks the parameters' names and ranges).
std::span<const RangeMethod* const> range_methods();
std::unique_ptr<Estimator> make_estimator(std::string_view name, const Parameters& parameters);

/// Scale and zero point of `grid` for the range [lo, hi]: the formulas of RangeKind, lo <= 0 <= hi
/// enforced, scale >= the smallest normal float, degenerate range -> scale 1.
Affine affine_from_range(float lo, float hi, const GridSpec& grid);

/// Fits the grid of a constant float tensor: one estimator a unit of `granularity`. Dead channels
/// (all zero) get scale 1.
numeric::QuantParams fit_weights(const TensorView& weights, const GridSpec& grid,
                                 numeric::Granularity granularity, int axis, int block_axis,
                                 int64_t group, std::string_view method,
                                 const Parameters& parameters);

}  // namespace nibble::calibrate
