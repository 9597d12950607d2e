#include <cstdio>

#include "apps/cli/command.h"
#include "apps/cli/options.h"
#include "quant/data/dataset.h"
#include "quant/pipeline/evaluate.h"

namespace nibble::cli {
namespace {

class EvalCommand : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("model", model_, "model.onnx or model.nbl")->required();
    app.add_option("--data", data_, "data spec")->required();
    app.add_option("--reference", reference_, "float model to compare with");
    app.add_option("--predictions", predictions_,
                   "write the first output of every sample, .npy float32 [N, ...]");
    run_.add_to(app);
  }

  int run(Console& console) override {
    const pipeline::RunOptions options = run_.resolve();
    const pipeline::Network network = pipeline::load_network(model_);
    auto dataset =
        data::open_dataset(data_, pipeline::input_specs(*network.model), data::Part::kTest);
    console.line(dataset->describe());
    std::optional<pipeline::Network> reference;
    if (!reference_.empty()) reference = pipeline::load_network(reference_);
    const pipeline::Evaluation e =
        pipeline::evaluate(network, *dataset, reference ? &*reference : nullptr, predictions_,
                           options, console.progress());
    print(console, e, options);
    return 0;
  }

 private:
  void print(Console& console, const pipeline::Evaluation& e, const pipeline::RunOptions& options) {
    char text[128];
    if (e.value) {
      if (e.metric == "top1") {
        std::snprintf(text, sizeof text, "top-1      %.2f %%", *e.value * 100);
      } else {
        std::snprintf(text, sizeof text, "%s %.3f", e.metric.c_str(), *e.value);
      }
      console.line(text);
    }
    const auto show = [&](const char* format, const std::optional<double>& value, double factor) {
      if (!value) return;
      std::snprintf(text, sizeof text, format, *value * factor);
      console.line(text);
    };
    show("top-5      %.2f %%", e.top5, 100);
    show("SQNR       %.2f dB", e.sqnr_db, 1);
    show("agreement  %.2f %%", e.agreement, 100);
    std::snprintf(text, sizeof text, "%lld samples in %.1f s (%s, %d threads)",
                  static_cast<long long>(e.samples), e.seconds,
                  std::string(name_of(options.isa)).c_str(), options.threads);
    console.line(text);
    console.result(
        {{"model", model_},
         {"data", data_},
         {"samples", e.samples},
         {"metric", e.value ? Json{{"name", e.metric}, {"value", *e.value}} : Json(nullptr)},
         {"top5", or_null(e.top5)},
         {"sqnr_db", or_null(e.sqnr_db)},
         {"agreement", or_null(e.agreement)},
         {"seconds", e.seconds},
         {"isa", name_of(options.isa)},
         {"threads", options.threads}});
  }

  std::string model_, data_, reference_, predictions_;
  RunFlags run_{32};
};

}  // namespace

std::unique_ptr<Command> make_eval_command() {
  return std::make_unique<EvalCommand>();
}

}  // namespace nibble::cli
