#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "quant/calibrate/estimator.h"
#include "quant/graph/graph.h"

namespace nibble::calibrate {

/// The grid chosen for one tensor, and what its data looked like.
struct Calibrated {
  graph::QuantInfo quant;  // per tensor; chosen_by is the method's name
  float lowest = 0, highest = 0;
  int64_t count = 0, nan_count = 0, infinite_count = 0;
};

/// Watches many activation tensors while calibration data runs through the float network. Memory:
/// one estimator a tensor, whatever the number of samples.
class Calibrator {
 public:
  /// A tensor to watch; the codes of a 1-bit grid become -1 and +1 if its data turns out to have
  /// both signs. Throws Error(kUsage) for a wrong method or parameter, Error(kInternal) for
  /// a name that is there already.
  void add(const std::string& name, const GridSpec& grid, std::string_view method,
           const Parameters& parameters = {});
  /// One batch of the tensor's values. Throws Error(kInternal) for a name that was not added.
  void observe(const std::string& name, std::span<const float> values);
  /// Adds what `other`, with the same tensors, has seen.
  void merge(const Calibrator& other);
  /// Throws Error(kData) naming the first tensor with NaN in its data and how many, or without any
  /// data at all.
  std::map<std::string, Calibrated> finish() const;

 private:
  struct Watched {
    GridSpec grid;
    std::string method;
    std::unique_ptr<Estimator> estimator;
  };
  const Watched& watched(const std::string& name) const;

  std::map<std::string, Watched> tensors_;
};

}  // namespace nibble::calibrate
