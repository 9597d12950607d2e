#include <algorithm>
#include <cstdio>

#include "apps/cli/command.h"
#include "apps/cli/method_option.h"
#include "apps/cli/options.h"
#include "quant/pipeline/quantize.h"
#include "quant/recipe/recipe.h"

namespace nibble::cli {
namespace {

/// "1%" or "0.01" as a fraction.
double fraction(const std::string& option, const std::string& text) {
  try {
    size_t used = 0;
    const double value = std::stod(text, &used);
    if (used == text.size() && value >= 0) return value;
    if (used + 1 == text.size() && text.back() == '%' && value >= 0) return value / 100;
  } catch (const std::exception&) {
  }
  throw Error(ErrorKind::kUsage, option + " '" + text + "' is no share, expected 1% or 0.01");
}

class QuantizeCommand : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("model", model_, "float model.onnx");
    app.add_option("-o,--output", output_, "out.onnx; out.nbl and out.recipe.yaml stand beside it")
        ->required();
    app.add_option("--recipe", recipe_file_, "YAML or JSON; the command line beats it");
    app.add_option("--scheme", scheme_, "W8A8, W4A8, W4A16G128_ASYM ...");
    app.add_option("--weight-bits", weight_bits_, "weight width of the scheme")
        ->check(CLI::Range(1, 8));
    app.add_option("--act-bits", act_bits_, "activation width of the scheme")
        ->check(CLI::Range(1, 16));
    app.add_option("--group-size", group_size_, "weights that share a scale along K")
        ->check(CLI::Range(1, 1 << 20));
    auto* sym = app.add_flag("--sym", sym_, "symmetric weights");
    app.add_flag("--asym", asym_, "asymmetric weights")->excludes(sym);
    app.add_option("--granularity", granularity_, "of weight scales")
        ->check(CLI::IsMember({"tensor", "channel", "group", "block"}));
    app.add_option("--method", methods_,
                   "method by name, NAME or NAME:key=value,...; repeatable, in order")
        ->allow_extra_args(false);
    app.add_option("--layer", layers_,
                   "RE=SCHEME: the scheme of the nodes whose name matches; repeatable")
        ->allow_extra_args(false);
    app.add_option("--exclude", exclude_, "RE: nodes that stay float; repeatable")
        ->allow_extra_args(false);
    app.add_option("--calib", calib_, "data spec for the activation ranges");
    app.add_option("--samples", samples_, "calibration samples (default 512)")
        ->check(CLI::Range(1, 1 << 30));
    app.add_option("--eval", eval_, "data spec to measure the metric on");
    app.add_option("--max-drop", max_drop_,
                   "exit 4 and write nothing when the metric falls by more (1%)");
    app.add_option("--seed", seed_, "of everything random");
    app.add_option("--requantise", requantise_, "float or fixed")
        ->check(CLI::IsMember({"float", "fixed"}));
    app.add_flag("--exact", exact_, "weight-only layers in float, no 8-bit quantiser before them");
    app.add_option("--opset", opset_, "newest ONNX opset to write")
        ->check(CLI::IsMember({13, 21, 25}));
    app.add_flag("--dry-run", dry_run_, "do everything but write");
    app.add_option("--batch", batch_, "calibration samples at a time (default 8)")
        ->check(CLI::Range(1, 65536));
    threads_.add_to(app);
  }

  int run(Console& console) override {
    const recipe::Recipe recipe = resolve();
    const pipeline::RunOptions options = threads_.resolve(recipe.batch);
    const std::optional<double> max_drop =
        max_drop_.empty() ? std::nullopt : std::optional(fraction("--max-drop", max_drop_));
    const pipeline::QuantizeResult r = pipeline::quantize(
        recipe, output_, {.dry_run = dry_run_, .max_drop = max_drop}, options, console.progress());
    print(console, recipe, r);
    return 0;
  }

 private:
  /// Command line beats file beats scheme preset.
  recipe::Recipe resolve() const {
    recipe::Recipe r;
    if (!recipe_file_.empty()) r = recipe::load_recipe(recipe_file_);
    if (!model_.empty()) r.model = model_;
    if (r.model.empty())
      throw Error(ErrorKind::kUsage, "no model: give model.onnx or a recipe that names one");
    if (!scheme_.empty()) r.scheme = scheme_;
    recipe::Scheme scheme = recipe::parse_scheme(r.scheme);
    if (weight_bits_) {
      scheme.weight_bits = *weight_bits_;
      scheme.ternary = false;
    }
    if (act_bits_) {
      scheme.activations = *act_bits_ == 16 ? recipe::Scheme::Activations::kFloat
                                            : recipe::Scheme::Activations::kInt;
      if (*act_bits_ > 8 && *act_bits_ != 16)
        throw Error(ErrorKind::kUsage,
                    "--act-bits " + std::to_string(*act_bits_) + " is not 1 to 8 or 16");
      scheme.act_bits = *act_bits_;
    }
    if (group_size_) scheme.group = *group_size_;
    if (sym_) scheme.symmetric = true;
    if (asym_) scheme.symmetric = false;
    r.scheme = recipe::to_string(scheme);
    if (!granularity_.empty()) r.granularity = recipe::granularity_from_name(granularity_);
    for (const std::string& text : methods_) apply_method_option(text, r);
    for (const std::string& text : layers_) {
      const size_t at = text.rfind('=');
      if (at == std::string::npos || at == 0)
        throw Error(ErrorKind::kUsage, "--layer '" + text + "' is not RE=SCHEME");
      r.layers.emplace_back(text.substr(0, at), text.substr(at + 1));
    }
    r.exclude.insert(r.exclude.end(), exclude_.begin(), exclude_.end());
    if (!calib_.empty()) r.calib = calib_;
    if (samples_) r.samples = *samples_;
    if (!eval_.empty()) r.eval = eval_;
    if (seed_) r.seed = *seed_;
    if (batch_) r.batch = *batch_;
    if (requantise_ == "float") r.requantise = numeric::RequantiseVariant::kFloat;
    if (requantise_ == "fixed") r.requantise = numeric::RequantiseVariant::kFixed;
    if (exact_) r.exact = true;
    if (opset_) r.max_opset = *opset_;
    return r;
  }

  void print(Console& console, const recipe::Recipe& recipe,
             const pipeline::QuantizeResult& r) const {
    for (const std::string& note : r.notes)
      console.line(note.starts_with("warning: ") ? note : "note: " + note);
    for (const lower::Island& island : r.islands)
      console.line("float: " + island.node + ": " + island.why);
    char text[256];
    std::snprintf(text, sizeof text, "%s: %s -> %s (packed as .nbl; at most %s expected)",
                  recipe.scheme.c_str(), human_bytes(static_cast<double>(r.bytes_float)).c_str(),
                  human_bytes(static_cast<double>(r.bytes_quantized)).c_str(),
                  human_bytes(static_cast<double>(r.bytes_limit)).c_str());
    console.line(text);
    if (r.sqnr_db) {
      std::snprintf(text, sizeof text, "SQNR %.2f dB on the calibration data", *r.sqnr_db);
      console.line(text);
    }
    if (r.metric_float && r.metric_quantized) {
      const double factor = r.metric == "top1" ? 100 : 1;
      std::snprintf(text, sizeof text, "%s %.2f -> %.2f", r.metric.c_str(),
                    *r.metric_float * factor, *r.metric_quantized * factor);
      console.line(text);
    }
    for (const std::string& path : r.outputs) console.line("wrote " + path);
    const bool onnxruntime = r.verified_in_onnxruntime.value_or(false);
    if (!r.outputs.empty())
      console.line(
          std::string("verified: loaded again, run and compared in nibble") +
          (onnxruntime ? " and ONNX Runtime" : " (no ONNX Runtime in python3 or $NIBBLE_PYTHON)"));
    const bool measured = r.metric_float.has_value();
    console.result(
        {{"model", recipe.model},
         {"outputs", r.outputs},
         {"scheme", recipe.scheme},
         {"metric", measured ? Json{{"name", r.metric},
                                    {"float", *r.metric_float},
                                    {"quantized", *r.metric_quantized}}
                             : Json(nullptr)},
         {"sqnr_db", or_null(r.sqnr_db)},
         {"bytes",
          {{"float", r.bytes_float}, {"quantized", r.bytes_quantized}, {"limit", r.bytes_limit}}},
         {"verified",
          {{"runtime", !r.outputs.empty()}, {"onnxruntime", or_null(r.verified_in_onnxruntime)}}},
         {"seconds", r.seconds},
         {"peak_bytes", r.peak_bytes}});
  }

  std::string model_, output_, recipe_file_, scheme_, granularity_, calib_, eval_, requantise_,
      max_drop_;
  std::optional<int> weight_bits_, act_bits_, opset_;
  std::optional<int64_t> group_size_, samples_, batch_;
  std::optional<uint64_t> seed_;
  bool sym_ = false, asym_ = false, exact_ = false, dry_run_ = false;
  std::vector<std::string> methods_, layers_, exclude_;
  ThreadFlag threads_;
};

}  // namespace

std::unique_ptr<Command> make_quantize_command() {
  return std::make_unique<QuantizeCommand>();
}

}  // namespace nibble::cli
