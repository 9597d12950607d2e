#include <cstdio>

#include "apps/cli/bench_kernels.h"
#include "apps/cli/command.h"
#include "apps/cli/options.h"
#include "quant/graph/error.h"
#include "quant/pipeline/benchmark.h"
#include "quant/pipeline/energy.h"
#include "quant/pipeline/machine_limits.h"

namespace nibble::cli {
namespace {

class BenchCommand : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("model", model_, "model.onnx or model.nbl");
    app.add_flag("--kernels", kernels_,
                 "measure the kernels of integer products instead of a model; -o writes the table "
                 "that $NIBBLE_KERNEL_TABLE takes");
    app.add_option("-o", output_, "the table (with --kernels)");
    app.add_option("--seconds", seconds_, "how long to measure")
        ->check(CLI::Range(0.01, 600.0))
        ->capture_default_str();
    app.add_option("--seed", seed_, "of the random inputs")->capture_default_str();
    app.add_flag(
        "--energy", energy_,
        "joules of one run: measured by the processor's counters where they can be read, else "
        "estimated");
    app.add_option("--energy-table", energy_table_,
                   "JSON file: what operations and bytes cost (docs/energy.md); estimates with it");
    run_.add_to(app);
  }

  int run(Console& console) override {
    if (kernels_ != model_.empty())
      throw Error(ErrorKind::kUsage,
                  kernels_ ? "--kernels takes no model" : "bench expects a model, or --kernels");
    return kernels_ ? bench_kernels(console, output_) : bench_model(console);
  }

 private:
  int bench_model(Console& console) {
    pipeline::EnergyTable table;
    if (!energy_table_.empty()) table = pipeline::load_energy_table(energy_table_);
    const pipeline::RunOptions options = run_.resolve();
    const pipeline::Network network = pipeline::load_network(model_);
    const pipeline::Benchmark b = pipeline::benchmark(network, options, seconds_, seed_);
    const pipeline::MachineLimits limits = pipeline::measure_limits(options);
    const Energy energy = energy_of(b, table, network, options);

    print_layers(console, b, limits, energy);
    print_totals(console, b, limits, energy, options);
    Json result{{"model", model_},
                {"isa", name_of(options.isa)},
                {"threads", options.threads},
                {"batch", options.batch},
                {"latency_us", {{"min", b.min_us}, {"median", b.median_us}, {"p90", b.p90_us}}},
                {"peak_activation_bytes", b.peak_activation_bytes},
                {"limits", limits_as_json(limits)},
                {"layers", layers_as_json(b, limits, energy)}};
    if (energy.kind) result["energy_j"] = {{"kind", energy.kind}, {"value", energy.joules}};
    console.result(result);
    return 0;
  }

 private:
  /// Measured and estimated numbers do not stand in one table: `layers` is empty where measured.
  struct Energy {
    const char* kind = nullptr;  // null: not asked for
    double joules = 0;           // of one run
    std::vector<double> layers;
  };

  Energy energy_of(const pipeline::Benchmark& b, const pipeline::EnergyTable& table,
                   const pipeline::Network& network, const pipeline::RunOptions& options) const {
    // Who brings a table wants the estimate.
    if (!energy_ && energy_table_.empty()) return {};
    if (energy_table_.empty())
      if (const auto joules = pipeline::measured_joules(network, options, seed_))
        return {"measured", *joules, {}};
    double weight_bytes = 0;
    for (const pipeline::LayerTime& layer : b.layers) weight_bytes += layer.work.weight_bytes;
    Energy energy{"estimated", 0, {}};
    for (const pipeline::LayerTime& layer : b.layers) {
      energy.layers.push_back(pipeline::estimate_joules(table, layer.work, weight_bytes));
      energy.joules += energy.layers.back();
    }
    return energy;
  }

  static double share_of(const pipeline::LayerTime& layer, const pipeline::MachineLimits& limits) {
    return pipeline::share_of(limits, layer.work, layer.microseconds * 1e-6);
  }

  static Json limits_as_json(const pipeline::MachineLimits& limits) {
    Json gbs;
    for (const auto& level : limits.levels) gbs[level.name] = level.gbs;
    return {{"int8_gops", limits.int8_gops}, {"float_gops", limits.float_gops}, {"gbs", gbs}};
  }

  static Json layers_as_json(const pipeline::Benchmark& b, const pipeline::MachineLimits& limits,
                             const Energy& energy) {
    Json layers = Json::array();
    for (size_t i = 0; i < b.layers.size(); ++i) {
      const pipeline::LayerTime& layer = b.layers[i];
      layers.push_back({{"name", layer.name},
                        {"op", model::name_of(layer.op)},
                        {"kernel", layer.kernel},
                        {"us", layer.microseconds},
                        {"gops", layer.gops},
                        {"gbs", layer.gbs},
                        {"limit_gops", limits.gops_of(layer.work)},
                        {"limit_gbs", limits.gbs_of(layer.work)},
                        {"share", share_of(layer, limits)}});
      if (!layer.copy.empty()) layers.back()["copy"] = layer.copy;
      if (!energy.layers.empty()) layers.back()["energy_j"] = energy.layers[i];
    }
    return layers;
  }

  static void print_layers(Console& console, const pipeline::Benchmark& b,
                           const pipeline::MachineLimits& limits, const Energy& energy) {
    char text[256];
    std::snprintf(text, sizeof text, "%10s %9s %8s %8s %s %-18s %s", "us", "GOP/s", "GB/s",
                  "of limit", energy.layers.empty() ? "" : "      uJ ", "op", "node (kernel)");
    console.line(text);
    for (size_t i = 0; i < b.layers.size(); ++i) {
      const pipeline::LayerTime& layer = b.layers[i];
      char joules[32] = "";
      if (!energy.layers.empty())
        std::snprintf(joules, sizeof joules, "%8.3f ", energy.layers[i] * 1e6);
      const std::string copy = layer.copy.empty() ? "" : " + " + layer.copy;
      std::snprintf(text, sizeof text, "%10.1f %9.1f %8.2f %7.0f%% %s %-18s %s%s (%s)",
                    layer.microseconds, layer.gops, layer.gbs, share_of(layer, limits) * 100,
                    joules, std::string(model::name_of(layer.op)).c_str(), layer.name.c_str(),
                    copy.c_str(), layer.kernel.c_str());
      console.line(text);
    }
  }

  static void print_totals(Console& console, const pipeline::Benchmark& b,
                           const pipeline::MachineLimits& limits, const Energy& energy,
                           const pipeline::RunOptions& options) {
    char text[256];
    std::string bandwidths;
    for (const auto& level : limits.levels) {
      std::snprintf(text, sizeof text, ", %s %.1f GB/s", level.name.c_str(), level.gbs);
      bandwidths += text;
    }
    std::snprintf(text, sizeof text, "limits of this machine: int8 %.0f GOP/s, float %.0f GOP/s%s",
                  limits.int8_gops, limits.float_gops, bandwidths.c_str());
    console.line(text);
    if (energy.kind) {
      std::snprintf(text, sizeof text, "energy of a run %.4g J, %s", energy.joules, energy.kind);
      console.line(text);
    }
    std::snprintf(text, sizeof text,
                  "latency %.1f us median, %.1f min, %.1f p90 (%d runs, batch %lld, %s, %d "
                  "threads); activations %s",
                  b.median_us, b.min_us, b.p90_us, b.runs, static_cast<long long>(options.batch),
                  std::string(name_of(options.isa)).c_str(), options.threads,
                  human_bytes(static_cast<double>(b.peak_activation_bytes)).c_str());
    console.line(text);
  }

  std::string model_, output_;
  bool kernels_ = false;
  double seconds_ = 1.0;
  uint64_t seed_ = 0;
  bool energy_ = false;
  std::string energy_table_;
  RunFlags run_{1};
};

}  // namespace

std::unique_ptr<Command> make_bench_command() {
  return std::make_unique<BenchCommand>();
}

}  // namespace nibble::cli
