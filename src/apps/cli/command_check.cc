#include <cstdio>

#include "apps/cli/command.h"
#include "apps/cli/options.h"
#include "apps/cli/unknown_ops.h"
#include "quant/pipeline/predict.h"

namespace nibble::cli {
namespace {

class CheckCommand : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("model", recipe_.model, "float model.onnx")->required();
    app.add_option("--scheme", recipe_.scheme, "W8A8, W4A8 ...")->capture_default_str();
    app.add_option("--exclude", recipe_.exclude, "RE: nodes that stay float; repeatable")
        ->allow_extra_args(false);
    run_.add_to(app);
  }

  int run(Console& console) override {
    try {
      check(console, pipeline::predict(recipe_, run_.resolve()));
    } catch (const importer::UnknownOps& unknown) {
      console.result({{"model", recipe_.model},
                      {"scheme", recipe_.scheme},
                      {"supported", Json::array()},
                      {"unsupported", show_unknown_ops(console, unknown)},
                      {"float_fallback", Json::array()},
                      {"predicted", nullptr}});
    }
    return 0;
  }

 private:
  void check(Console& console, const pipeline::Prediction& p) const {
    std::string ops;
    for (const std::string& op : p.integer_ops) ops += (ops.empty() ? "" : ", ") + op;
    console.line("integer ops: " + (ops.empty() ? "none" : ops));
    Json fallback = Json::array();
    for (const lower::Island& island : p.islands) {
      console.line("float: " + island.node + ": " + island.why);
      fallback.push_back(
          {{"node", island.node}, {"op", model::name_of(island.op)}, {"why", island.why}});
    }
    for (const std::string& note : p.notes) console.line("note: " + note);
    char text[160];
    std::snprintf(text, sizeof text, "predicted: %s on disk, %s at run time, %.0f us a sample",
                  human_bytes(static_cast<double>(p.bytes)).c_str(),
                  human_bytes(static_cast<double>(p.peak_bytes)).c_str(), p.latency_us);
    console.line(text);
    console.result(
        {{"model", recipe_.model},
         {"scheme", recipe_.scheme},
         {"supported", p.integer_ops},
         {"float_fallback", fallback},
         {"predicted",
          {{"bytes", p.bytes}, {"peak_bytes", p.peak_bytes}, {"latency_us", p.latency_us}}}});
  }

  recipe::Recipe recipe_;
  RunFlags run_{1};
};

}  // namespace

std::unique_ptr<Command> make_check_command() {
  return std::make_unique<CheckCommand>();
}

}  // namespace nibble::cli
