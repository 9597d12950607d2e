#include "quant/calibrate/calibrator.h"

#include <utility>

#include "quant/graph/error.h"

namespace nibble::calibrate {
namespace {

numeric::QuantParams per_tensor(const GridSpec& grid, const Affine& affine) {
  numeric::QuantParams params = params_of(grid);
  params.scales = {affine.scale};
  if (grid.range == numeric::RangeKind::kAsymmetric) params.zero_points = {affine.zero_point};
  return params;
}

/// One bit cannot hold zero and both signs: two-sided data takes codes -1 and +1.
GridSpec settled(const GridSpec& grid, const Estimator& seen) {
  return grid.bits == 1 && seen.lowest < 0 && seen.highest > 0 ? kBinary : grid;
}

void check_data(const std::string& name, const Estimator& seen) {
  const std::string tensor = "calibration data: tensor '" + name + "' ";
  if (seen.nan_count > 0)
    throw Error(ErrorKind::kData, tensor + "has " + std::to_string(seen.nan_count) + " NaN of " +
                                      std::to_string(seen.count) +
                                      " values, expected finite numbers");
  if (seen.count == 0) throw Error(ErrorKind::kData, tensor + "has no values, expected some");
}

}  // namespace

void Calibrator::add(const std::string& name, const GridSpec& grid, std::string_view method,
                     const Parameters& parameters) {
  Watched watched{grid, std::string(method), make_estimator(method, parameters)};
  if (!tensors_.emplace(name, std::move(watched)).second)
    throw Error(ErrorKind::kInternal, "calibration: tensor '" + name + "' was added twice");
}

const Calibrator::Watched& Calibrator::watched(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end())
    throw Error(ErrorKind::kInternal, "calibration: tensor '" + name + "' was not added");
  return found->second;
}

void Calibrator::observe(const std::string& name, std::span<const float> values) {
  watched(name).estimator->observe(values);
}

void Calibrator::merge(const Calibrator& other) {
  for (const auto& [name, tensor] : other.tensors_)
    watched(name).estimator->merge(*tensor.estimator);
}

std::map<std::string, Calibrated> Calibrator::finish() const {
  std::map<std::string, Calibrated> chosen;
  for (const auto& [name, tensor] : tensors_) {
    const Estimator& seen = *tensor.estimator;
    check_data(name, seen);
    const GridSpec grid = settled(tensor.grid, seen);
    chosen[name] = {{per_tensor(grid, seen.finish(grid)), tensor.method},
                    seen.lowest,
                    seen.highest,
                    seen.count,
                    seen.nan_count,
                    seen.infinite_count};
  }
  return chosen;
}

}  // namespace nibble::calibrate
