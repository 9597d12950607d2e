#include <map>

#include "apps/cli/command.h"
#include "apps/cli/options.h"
#include "quant/data/npy.h"
#include "quant/pipeline/network.h"

namespace nibble::cli {
namespace {

class RunCommand : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("model", model_, "model.onnx or model.nbl")->required();
    app.add_option("--input", inputs_, "x.npy, or NAME=x.npy for each of several inputs")
        ->required()
        ->allow_extra_args(false);
    app.add_option("--output", output_, "y.npy; with several outputs y.npz")->required();
    run_.add_to(app);
  }

  int run(Console& console) override {
    const pipeline::RunOptions options = run_.resolve();
    const pipeline::Network network = pipeline::load_network(model_);
    const model::Model& model = *network.model;
    const std::vector<Tensor> tensors = read_inputs(model);
    std::vector<TensorView> views;
    for (const Tensor& t : tensors) views.push_back(t.view());
    auto session = pipeline::make_session(network.model, options);
    throw_if_error(session->run(views), ErrorKind::kData, model_);
    Json outputs = Json::array();
    std::vector<std::pair<std::string, TensorView>> arrays;
    for (size_t i = 0; i < model.outputs.size(); ++i) {
      const std::string& name = model.tensors[model.outputs[i]].name;
      arrays.emplace_back(name, session->output(i));
      console.line(name + " " + to_string(arrays.back().second.shape) + " -> " + output_);
      outputs.push_back({{"name", name}, {"shape", to_string(arrays.back().second.shape)}});
    }
    if (output_.ends_with(".npz")) {
      data::write_npz(output_, arrays);
    } else if (arrays.size() == 1) {
      data::write_npy(output_, arrays[0].second);
    } else {
      throw Error(ErrorKind::kUsage, "the model has " + std::to_string(arrays.size()) +
                                         " outputs: --output must end in .npz");
    }
    console.result({{"model", model_}, {"outputs", outputs}, {"file", output_}});
    return 0;
  }

 private:
  std::vector<Tensor> read_inputs(const model::Model& model) const {
    std::map<std::string, std::string> files;
    for (const std::string& text : inputs_) {
      const size_t at = text.find('=');
      if (at != std::string::npos) {
        files[text.substr(0, at)] = text.substr(at + 1);
      } else if (model.inputs.size() == 1) {
        files[model.tensors[model.inputs[0]].name] = text;
      } else {
        throw Error(ErrorKind::kUsage, "--input '" + text + "': the model has " +
                                           std::to_string(model.inputs.size()) +
                                           " inputs, expected NAME=FILE");
      }
    }
    std::vector<Tensor> tensors;
    for (int index : model.inputs) {
      const model::TensorInfo& info = model.tensors[index];
      const auto it = files.find(info.name);
      if (it == files.end())
        throw Error(ErrorKind::kUsage, "no --input for the model's input '" + info.name + "'");
      Tensor tensor = data::read_npy(it->second);
      bool fits = tensor.dtype() == info.dtype && tensor.shape().rank() == info.shape.rank();
      for (int d = 0; fits && d < info.shape.rank(); ++d)
        fits = info.shape[d] == kUnknownDim || info.shape[d] == tensor.shape()[d];
      if (!fits)
        throw Error(ErrorKind::kData,
                    "holds " + std::string(name_of(tensor.dtype())) + " " +
                        to_string(tensor.shape()) + ", the model's input '" + info.name + "' is " +
                        std::string(name_of(info.dtype)) + " " + to_string(info.shape),
                    it->second);
      tensors.push_back(std::move(tensor));
      files.erase(it);
    }
    if (!files.empty())
      throw Error(ErrorKind::kUsage,
                  "--input '" + files.begin()->first + "' is no input of the model");
    return tensors;
  }

  std::string model_, output_;
  std::vector<std::string> inputs_;
  RunFlags run_{1};
};

}  // namespace

std::unique_ptr<Command> make_run_command() {
  return std::make_unique<RunCommand>();
}

}  // namespace nibble::cli
