#include "quant/pipeline/energy_counters.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

namespace nibble::pipeline {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::optional<double> read_number(const std::string& path) {
  std::ifstream file(path);
  double value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

std::string read_word(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

std::optional<EnergyCounters> EnergyCounters::open(const std::string& folder) {
  EnergyCounters counters;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    // "intel-rapl-mmio" shows the same packages once more; cores are part of their package.
    if (!entry.path().filename().string().starts_with("intel-rapl:")) continue;
    const std::string path = entry.path().string(), name = read_word(path + "/name");
    if (!name.starts_with("package") && name != "dram") continue;
    const auto now = read_number(path + "/energy_uj");
    const auto range = read_number(path + "/max_energy_range_uj");
    if (now && range) counters.domains_.push_back({path + "/energy_uj", *now, *range});
  }
  if (counters.domains_.empty()) return std::nullopt;
  return counters;
}

double EnergyCounters::take() {
  double microjoules = 0;
  for (Domain& domain : domains_) {
    const double now = read_number(domain.file).value_or(domain.microjoules);
    const double more = now - domain.microjoules;
    microjoules += more < 0 ? more + domain.range : more;
    domain.microjoules = now;
  }
  return microjoules * 1e-6;
}

double measure_joules(EnergyCounters& counters, const std::function<void()>& run) {
  constexpr int kRepetitions = 5;
  constexpr double kSeconds = 1;
  auto start = Clock::now();
  counters.take();
  std::this_thread::sleep_for(std::chrono::duration<double>(kSeconds));
  const double idle_watts = counters.take() / seconds_since(start);
  std::vector<double> joules;
  for (int i = 0; i < kRepetitions; ++i) {
    int calls = 0;
    counters.take();
    for (start = Clock::now(); seconds_since(start) < kSeconds; ++calls) run();
    const double seconds = seconds_since(start);
    joules.push_back((counters.take() - idle_watts * seconds) / calls);
  }
  std::sort(joules.begin(), joules.end());
  return joules[kRepetitions / 2];
}

}  // namespace nibble::pipeline
