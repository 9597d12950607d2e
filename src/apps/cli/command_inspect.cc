#include <cstdio>
#include <map>

#include "apps/cli/command.h"
#include "apps/cli/options.h"
#include "apps/cli/unknown_ops.h"
#include "deploy/numeric/grid.h"
#include "quant/pipeline/network.h"

namespace nibble::cli {
namespace {

/// The finest description of a tensor on one line: "1x16x32x32 i8, 4 bits per channel".
std::string describe(const model::TensorInfo& t) {
  std::string text = to_string(t.shape) + " " + std::string(name_of(t.dtype));
  if (t.packed.format != format::FormatId::kPlain) {
    text += ", packed " + std::to_string(t.packed.bits) + " bits";
    if (t.packed.spacing == 2) text += " (-1, +1)";
    if (t.packed.bits == 2 && t.packed.offset == 1) text += " (-1, 0, +1)";
  } else if (t.quant) {
    text += ", " + std::to_string(t.quant->bits) + "-bit grid";
    if (t.quant->grid != numeric::GridId::kAffine)
      text += ", " + std::string(numeric::grid_of(t.quant->grid).name);
    if (t.quant->granularity == numeric::Granularity::kTensor) {
      char range[64];
      const float s = t.quant->scales[0];
      const int z = t.quant->zero_point(0);
      std::snprintf(range, sizeof range, " [%.4g, %.4g]", s * static_cast<float>(t.quant->qmin - z),
                    s * static_cast<float>(t.quant->qmax - z));
      text += range;
    }
  }
  return text;
}

class InspectCommand : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("model", model_, "model.onnx or model.nbl")->required();
  }

  int run(Console& console) override {
    try {
      inspect(console, pipeline::load_network(model_));
    } catch (const importer::UnknownOps& unknown) {
      console.result({{"model", model_}, {"unsupported", show_unknown_ops(console, unknown)}});
    }
    return 0;
  }

 private:
  void inspect(Console& console, const pipeline::Network& network) const {
    const model::Model& m = *network.model;
    std::map<std::string, int> counts;
    int64_t parameters = 0;
    size_t constant_bytes = 0;
    for (const model::TensorInfo& t : m.tensors)
      if (t.is_constant) {
        parameters += t.shape.size();
        constant_bytes += t.data.size();
      }
    Json nodes = Json::array();
    for (const model::NodeInfo& node : m.nodes) {
      ++counts[std::string(model::name_of(node.op))];
      nodes.push_back(show_node(console, m, node));
    }
    std::string ops;
    for (const auto& [op, n] : counts)
      ops += (ops.empty() ? "" : ", ") + op + " " + std::to_string(n);
    const char* phases[] = {"", "float", "annotated", "integer"};
    const char* phase = phases[static_cast<int>(m.phase)];
    console.line(model_ + ": " + phase + ", " + std::to_string(m.nodes.size()) + " nodes (" + ops +
                 "), " + std::to_string(parameters) + " constants, " +
                 human_bytes(static_cast<double>(constant_bytes)));
    console.result({{"model", model_},
                    {"phase", phase},
                    {"bytes", network.file_bytes},
                    {"parameters", parameters},
                    {"constant_bytes", constant_bytes},
                    {"ops", counts},
                    {"inputs", ports(m, m.inputs)},
                    {"outputs", ports(m, m.outputs)},
                    {"nodes", nodes}});
  }

  static Json ports(const model::Model& m, const std::vector<int>& indices) {
    Json list = Json::array();
    for (int i : indices)
      list.push_back({{"name", m.tensors[i].name},
                      {"dtype", name_of(m.tensors[i].dtype)},
                      {"shape", to_string(m.tensors[i].shape)}});
    return list;
  }

  static Json show_node(Console& console, const model::Model& m, const model::NodeInfo& node) {
    std::string line = node.name + ": " + std::string(model::name_of(node.op));
    const auto operands = [&](const std::vector<int>& indices) {
      Json list = Json::array();
      for (int i : indices) {
        if (i == model::kNoTensor) continue;
        list.push_back({{"name", m.tensors[i].name}, {"type", describe(m.tensors[i])}});
        line += (m.tensors[i].is_constant ? " {" + describe(m.tensors[i]) + "}"
                                          : " " + describe(m.tensors[i]));
      }
      return list;
    };
    Json inputs = operands(node.inputs);
    line += " ->";
    Json outputs = operands(node.outputs);
    console.line(line);
    return {{"name", node.name},
            {"op", model::name_of(node.op)},
            {"inputs", inputs},
            {"outputs", outputs}};
  }

  std::string model_;
};

}  // namespace

std::unique_ptr<Command> make_inspect_command() {
  return std::make_unique<InspectCommand>();
}

}  // namespace nibble::cli
