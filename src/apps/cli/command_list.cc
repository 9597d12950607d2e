#include <algorithm>

#include "apps/cli/command.h"
#include "deploy/base/cpu.h"
#include "deploy/kernels/catalogue.h"
#include "deploy/model/op.h"
#include "deploy/numeric/grid.h"
#include "deploy/numeric/range_list.h"
#include "quant/calibrate/estimator.h"
#include "quant/recipe/scheme.h"
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
  Rows rows;
  for (const numeric::Grid* grid : numeric::grids())
    rows.push_back(
        {std::string(grid->name), std::string(grid->summary), std::string(grid->source)});
  for (const numeric::RangeInfo& range : numeric::ranges())
    rows.push_back(
        {std::string(range.name),
         "affine, codes " + std::string(range.codes) + ", s = " + std::string(range.scale),
         std::string(range.source)});
  return rows;
}

Rows schemes() {
  Rows rows;
  for (const recipe::SchemeForm& form : recipe::scheme_forms())
    rows.push_back({form.pattern, form.meaning, ""});
  return rows;
}

Rows ops() {
  Rows rows;
  for (int i = 0; i < model::op_count(); ++i) {
    const model::OpInfo& info = model::info_of(static_cast<model::Op>(i));
    rows.push_back({std::string(info.name), std::string(info.summary), ""});
  }
  return rows;
}

Rows kernel_rows() {
  Rows rows;
  for (const kernels::KernelInfo& kernel : kernels::catalogue())
    rows.push_back({std::string(kernel.name),
                    std::string(kernel.summary) +
                        (cpu_runs(kernel.isa) ? "; runs here" : "; this processor lacks the ISA"),
                    ""});
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
        {"methods", methods}, {"grids", grids},         {"schemes", schemes},
        {"ops", ops},         {"kernels", kernel_rows}, {"targets", targets}};
    Json all = Json::object();
    for (const auto& [name, rows] : kLists) {
      if (!what_.empty() && what_ != name) continue;
      if (what_.empty()) console.line(std::string(name) + ":");
      Json list = Json::array();
      const Rows found = rows();
      size_t width = 0;
      for (const Row& row : found) width = std::max(width, row.name.size());
      for (const Row& row : found) {
        console.line("  " + row.name + std::string(width + 2 - row.name.size(), ' ') + row.summary +
                     (row.source.empty() ? "" : "  [" + row.source + "]"));
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
