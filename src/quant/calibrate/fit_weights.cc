#include <algorithm>

#include "deploy/numeric/scale_index.h"
#include "quant/calibrate/estimator.h"
#include "quant/calibrate/extremes.h"
#include "quant/graph/error.h"

namespace nibble::calibrate {
namespace {

using numeric::QuantParams;
using numeric::ScaleIndex;

void check_weights(const TensorView& weights) {
  if (weights.dtype != DType::kF32)
    throw Error(ErrorKind::kModel,
                "weights of type " + std::string(name_of(weights.dtype)) + ", expected f32");
  const Extremes e = extremes_of(weights.span<const float>());
  if (!e.all_finite())
    throw Error(ErrorKind::kModel, "weights hold " + std::to_string(e.nans) + " NaN and " +
                                       std::to_string(e.infinities) +
                                       " infinite elements, expected finite numbers");
}

/// `values` with the elements of each unit side by side, and where each unit starts (one entry more
/// than there are units).
struct Gathered {
  std::vector<float> values;
  std::vector<size_t> starts;
};

Gathered gather(std::span<const float> values, const ScaleIndex& index) {
  Gathered g{std::vector<float>(values.size()), std::vector<size_t>(index.count() + 1)};
  index.for_each_run([&](int64_t, int64_t length, size_t unit) {
    g.starts[unit + 1] += static_cast<size_t>(length);
  });
  for (size_t unit = 0; unit < index.count(); ++unit) g.starts[unit + 1] += g.starts[unit];
  std::vector<size_t> next(g.starts.begin(), g.starts.end() - 1);
  index.for_each_run([&](int64_t first, int64_t length, size_t unit) {
    std::copy_n(values.data() + first, length, g.values.data() + next[unit]);
    next[unit] += static_cast<size_t>(length);
  });
  return g;
}

Affine fit_unit(const RangeMethod& method, std::span<const float> values, const GridSpec& grid,
                const Parameters& parameters) {
  if (values.empty()) return {};
  if (method.fit) return method.fit(values, grid, parameters);
  const std::unique_ptr<Estimator> estimator = method.make(parameters);
  estimator->observe(values);
  return estimator->finish(grid);
}

}  // namespace

QuantParams fit_weights(const TensorView& weights, const GridSpec& grid,
                        numeric::Granularity granularity, int axis, int block_axis, int64_t group,
                        std::string_view method_name, const Parameters& given) {
  check_weights(weights);
  const RangeMethod& method = range_method(method_name);
  const Parameters parameters = complete(method, given);
  QuantParams params = params_of(grid);
  params.granularity = granularity;
  params.axis = axis;
  params.block_axis = block_axis;
  params.group = group;
  throw_if_error(numeric::check_axes(params, weights.shape), ErrorKind::kModel);

  const Gathered units = gather(weights.span<const float>(), ScaleIndex(params, weights.shape));
  const bool zero_points = grid.range == numeric::RangeKind::kAsymmetric;
  for (size_t unit = 0; unit + 1 < units.starts.size(); ++unit) {
    const std::span<const float> all(units.values);
    const Affine affine = fit_unit(
        method, all.subspan(units.starts[unit], units.starts[unit + 1] - units.starts[unit]), grid,
        parameters);
    params.scales.push_back(affine.scale);
    if (zero_points) params.zero_points.push_back(affine.zero_point);
  }
  return params;
}

}  // namespace nibble::calibrate
