#include <cstdio>

#include "apps/cli/bench_kernels.h"
#include "apps/cli/command.h"
#include "apps/cli/options.h"
#include "quant/graph/error.h"
#include "quant/pipeline/benchmark.h"

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
    const pipeline::RunOptions options = run_.resolve();
    const pipeline::Network network = pipeline::load_network(model_);
    const pipeline::Benchmark b = pipeline::benchmark(network, options, seconds_, seed_);
    char text[256];
    Json layers = Json::array();
    std::snprintf(text, sizeof text, "%10s %9s %8s  %-18s %s", "us", "GOP/s", "GB/s", "op",
                  "node (kernel)");
    console.line(text);
    for (const pipeline::LayerTime& layer : b.layers) {
      std::snprintf(text, sizeof text, "%10.1f %9.1f %8.2f  %-18s %s (%s)", layer.microseconds,
                    layer.gops, layer.gbs, std::string(model::name_of(layer.op)).c_str(),
                    layer.name.c_str(), layer.kernel.c_str());
      console.line(text);
      layers.push_back({{"name", layer.name},
                        {"op", model::name_of(layer.op)},
                        {"kernel", layer.kernel},
                        {"us", layer.microseconds},
                        {"gops", layer.gops},
                        {"gbs", layer.gbs}});
    }
    std::snprintf(text, sizeof text,
                  "latency %.1f us median, %.1f min, %.1f p90 (%d runs, batch %lld, %s, %d "
                  "threads); activations %s",
                  b.median_us, b.min_us, b.p90_us, b.runs, static_cast<long long>(options.batch),
                  std::string(name_of(options.isa)).c_str(), options.threads,
                  human_bytes(static_cast<double>(b.peak_activation_bytes)).c_str());
    console.line(text);
    console.result({{"model", model_},
                    {"isa", name_of(options.isa)},
                    {"threads", options.threads},
                    {"batch", options.batch},
                    {"latency_us", {{"min", b.min_us}, {"median", b.median_us}, {"p90", b.p90_us}}},
                    {"peak_activation_bytes", b.peak_activation_bytes},
                    {"layers", layers}});
    return 0;
  }

  std::string model_, output_;
  bool kernels_ = false;
  double seconds_ = 1.0;
  uint64_t seed_ = 0;
  RunFlags run_{1};
};

}  // namespace

std::unique_ptr<Command> make_bench_command() {
  return std::make_unique<BenchCommand>();
}

}  // namespace nibble::cli
