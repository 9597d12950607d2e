#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nibble::pipeline {

/// The processor's energy counters (RAPL) as Linux shows them: packages and DRAM.
class EnergyCounters {
 public:
  /// Nothing where this machine has none or this user may not read them.
  static std::optional<EnergyCounters> open(const std::string& folder = "/sys/class/powercap");

  /// Joules since the call before (the first: since open). The counters wrap around; two calls may
  /// be up to a minute apart.
  double take();

 private:
  struct Domain {
    std::string file;
    double microjoules, range;  // value at the call before; value at which it wraps
  };
  std::vector<Domain> domains_;
};

/// Joules that one call of `run` costs above idle: (energy - idle power x time) / calls, the median
/// of five repetitions of a second each, after a second at rest.
double measure_joules(EnergyCounters& counters, const std::function<void()>& run);

}  // namespace nibble::pipeline
