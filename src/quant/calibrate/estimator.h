#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/numeric/affine_range.h"
#include "deploy/numeric/quant_params.h"

namespace nibble::calibrate {

using numeric::Affine;

/// The grid to fit: width, named range and family (numeric/quant_params.h).
struct GridSpec {
  int bits = 8;
  numeric::RangeKind range = numeric::RangeKind::kAsymmetric;
  numeric::GridId grid = numeric::GridId::kAffine;

  numeric::CodeRange codes() const { return numeric::code_range(grid, range, bits); }
};
inline constexpr GridSpec kBinary = {1, numeric::RangeKind::kRestricted, numeric::GridId::kBinary};
inline constexpr GridSpec kTernary = {2, numeric::RangeKind::kRestricted,
                                      numeric::GridId::kTernary};

/// A grid of `spec` without scales, one a tensor.
numeric::QuantParams params_of(const GridSpec& spec);

/// numeric::affine_from_range for `grid`; binary and ternary grids put max(|lo|, |hi|) on the code
/// +1.
Affine affine_from_range(float lo, float hi, const GridSpec& grid);

/// Estimates one range from a stream. Memory does not depend on the number of elements.
/// Deterministic: the same batches in the same order give the same bits. NaN and infinite elements
/// are counted and otherwise ignored. Data that never goes below 0 gets a range that starts at 0.
class Estimator {
 public:
  virtual ~Estimator() = default;
  void observe(std::span<const float> batch);
  /// Adds what `other` (same method, same parameters) has seen, as if its batches came after this
  /// one's.
  void merge(const Estimator& other);
  /// Scale and zero point for everything seen so far; {1, 0} when no finite value but 0 was.
  virtual Affine finish(const GridSpec& grid) const = 0;

  /// What was seen, for reports: extremes over all finite elements (0 while there are none), and
  /// how many elements there were in all, NaN and +-Inf included.
  float lowest = 0, highest = 0;
  int64_t count = 0, nan_count = 0, infinite_count = 0;

 protected:
  /// A non-empty batch of finite values and its extremes; lowest and highest include it already.
  virtual void add(std::span<const float> batch, float lo, float hi) = 0;
  /// The part of merge() that concerns the method; `other` has seen finite values.
  virtual void absorb(const Estimator& other) = 0;

  int64_t finite_count() const { return count - nan_count - infinite_count; }
};

struct Parameter {
  std::string_view name;
  double otherwise, least, most;
  std::string_view meaning;
};

using Parameters = std::map<std::string, double>;

/// One range estimator: what `nibble list methods` prints and the contract tests loop over. Name,
/// summary and source come from its line in methods.inc.
struct RangeMethod {
  std::string_view name = {};
  std::string_view summary = {};
  std::string_view source = {};  // authors, year, equation
  std::vector<Parameter> parameters = {};
  bool never_worse_than_minmax = false;  // promise: squared error on the observed data
  /// `parameters` are complete and in range.
  std::function<std::unique_ptr<Estimator>(const Parameters& parameters)> make = {};
  /// The same estimate from values that are all at hand (finite, not empty), exact where the
  /// stream is not; null: the stream is used.
  std::function<Affine(std::span<const float> values, const GridSpec& grid,
                       const Parameters& parameters)>
      fit = {};
};

/// All methods of methods.inc, in order.
std::span<const RangeMethod* const> range_methods();
/// One by name; throws Error(kUsage) listing the valid names.
const RangeMethod& range_method(std::string_view name);
/// `given` with the defaults of `method` filled in; throws Error(kUsage) for a name the method does
/// not have or a value out of range.
Parameters complete(const RangeMethod& method, const Parameters& given);
std::unique_ptr<Estimator> make_estimator(std::string_view name, const Parameters& parameters);

/// Fits the grid of a constant float tensor: one fit a unit of `granularity`. Dead units (all zero)
/// get scale 1. Zero points are empty for symmetric grids. Throws Error(kModel) for NaN or infinite
/// weights and for axes that the shape does not have.
numeric::QuantParams fit_weights(const TensorView& weights, const GridSpec& grid,
                                 numeric::Granularity granularity, int axis, int block_axis,
                                 int64_t group, std::string_view method,
                                 const Parameters& parameters);

}  // namespace nibble::calibrate
