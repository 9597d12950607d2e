#include "apps/cli/command.h"
#include "deploy/base/cpu.h"
#include "deploy/model/op.h"
#include "quant/calibrate/estimator.h"
#include "quant/transform/transform.h"

namespace nibble::cli {
namespace {

struct Row {
  std::string name, summary, source;
};
using Rows = std::vector<Row>;

Rows methods() {
  Rows rows;
  for (const calibrate::RangeMethod* m : calibrate::range_methods()) {
    std::string summary = "range: " + std::string(m->summary);
    for (const calibrate::Parameter& p : m->parameters)
      summary += "; " + std::string(p.name) + " = " + Json(p.otherwise).dump() + " (" +
                 std::string(p.meaning) + ")";
    rows.push_back({std::string(m->name), summary, std::string(m->source)});
  }
  for (const transform::Transform* t : transform::transforms())
    rows.push_back(
        {std::string(t->name),
         "transform: " + std::string(t->summary) + (t->on_by_default ? " (always on)" : ""),
         std::string(t->source)});
  return rows;
}

Rows grids() {
  return {{"restricted", "codes -(2^(b-1)-1) .. 2^(b-1)-1, s = m/(2^(b-1)-1)",
           "TFLite weights; default from 8 to 5 bits"},
          {"white_paper", "codes -2^(b-1) .. 2^(b-1)-1, s = m/(2^(b-1)-1)",
           "Nagel et al. 2021, figure 3"},
          {"full", "codes -2^(b-1) .. 2^(b-1)-1, s = 2m/(2^b-1)",
           "ONNX Runtime; default from 4 to 2 bits"},
          {"twos", "codes -2^(b-1) .. 2^(b-1)-1, s = m/2^(b-1)", "fixed-point formats"},
          {"unsigned", "codes 0 .. 2^b-1, s = hi/(2^b-1)", "one-sided data"},
          {"asymmetric", "codes 0 .. 2^b-1, s = (hi-lo)/(2^b-1), integer zero point",
           "Jacob et al. 2018, equation 1"}};
}

Rows schemes() {
  return {{"W8A8", "8-bit weights per channel, 8-bit activations", ""},
          {"W<w>A<a>", "w, a = 2..8 bits; first and last layers keep 8", ""},
          {"W<w>A16", "weight-only: activations stay float", ""},
          {"W<w>AI16", "16-bit integer activations, symmetric", ""},
          {"...G<g>", "weight scales per block of g along K (Gemm, MatMul, 1x1 convolution)", ""},
          {"..._SYM, ..._ASYM", "symmetric (default) or asymmetric weights", ""}};
}

Rows ops() {
  Rows rows;
  for (int i = 0; i < model::op_count(); ++i) {
    const model::OpInfo& info = model::info_of(static_cast<model::Op>(i));
    rows.push_back({std::string(info.name), std::string(info.summary), ""});
  }
  return rows;
}

Rows kernels() {
  Rows rows;
  for (int i = 0; i <= static_cast<int>(Isa::kI8mm); ++i) {
    const Isa isa = static_cast<Isa>(i);
    rows.push_back({std::string(name_of(isa)),
                    cpu_runs(isa) ? "runs on this machine" : "not on this machine", ""});
  }
  return rows;
}

Rows targets() {
  return {{"cpu", "this runtime; requantise float, every width", ""},
          {"onnx", "QDQ ONNX, opset 13 / 21 / 25", ""}};
}

class ListCommand : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("what", what_,
                   "methods, grids, schemes, ops, kernels or targets; all without it")
        ->check(CLI::IsMember({"methods", "grids", "schemes", "ops", "kernels", "targets"}));
  }

  int run(Console& console) override {
    const std::pair<const char*, Rows (*)()> kLists[] = {
        {"methods", methods}, {"grids", grids},     {"schemes", schemes},
        {"ops", ops},         {"kernels", kernels}, {"targets", targets}};
    Json all = Json::object();
    for (const auto& [name, rows] : kLists) {
      if (!what_.empty() && what_ != name) continue;
      if (what_.empty()) console.line(std::string(name) + ":");
      Json list = Json::array();
      for (const Row& row : rows()) {
        console.line("  " + row.name +
                     std::string(row.name.size() < 22 ? 22 - row.name.size() : 1, ' ') +
                     row.summary + (row.source.empty() ? "" : "  [" + row.source + "]"));
        list.push_back({{"name", row.name},
                        {"summary", row.summary},
                        {"source", row.source.empty() ? Json(nullptr) : Json(row.source)}});
      }
      all[name] = std::move(list);
    }
    console.result(all);
    return 0;
  }

 private:
  std::string what_;
};

}  // namespace

std::unique_ptr<Command> make_list_command() {
  return std::make_unique<ListCommand>();
}

}  // namespace nibble::cli
