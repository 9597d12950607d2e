#include <algorithm>
#include <cstring>

#include "apps/cli/command.h"
#include "quant/data/dataset.h"
#include "quant/data/npy.h"
#include "quant/exporter/exporter.h"
#include "quant/lower/lower.h"
#include "quant/pack/pack.h"
#include "quant/pipeline/network.h"
#include "quant/pipeline/output_files.h"

namespace nibble::cli {
namespace {

bool is_model(const std::string& path) {
  return path.ends_with(".onnx") || path.ends_with(".nbl");
}

/// A whole data set as arrays: each input under its name, and `labels`.
void write_arrays(data::Dataset& dataset, const std::string& path, Console& console) {
  constexpr int64_t kBatch = 256;
  std::vector<Tensor> arrays;
  std::vector<int64_t> labels;
  const auto progress = console.progress();
  for (int64_t first = 0; first < dataset.size(); first += kBatch) {
    const data::Batch batch = dataset.read(first, std::min(kBatch, dataset.size() - first));
    for (size_t i = 0; i < batch.inputs.size(); ++i) {
      const Tensor& part = batch.inputs[i];
      if (first == 0) {
        Shape whole = part.shape();
        whole[0] = dataset.size();
        arrays.emplace_back(part.dtype(), whole);
      }
      const size_t sample = arrays[i].bytes() / static_cast<size_t>(dataset.size());
      std::memcpy(arrays[i].data() + sample * static_cast<size_t>(first), part.data(),
                  part.bytes());
    }
    labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
    progress("convert", first + batch.count, dataset.size());
  }
  std::vector<std::pair<std::string, TensorView>> named;
  for (size_t i = 0; i < arrays.size(); ++i)
    named.emplace_back(dataset.inputs()[i].name, arrays[i].view());
  if (!labels.empty())
    named.emplace_back("labels", TensorView{DType::kI64, Shape{static_cast<int64_t>(labels.size())},
                                            labels.data()});
  data::write_npz(path, named);
}

class ConvertCommand : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("input", input_, "model.onnx, or a data spec")->required();
    app.add_option("output", output_, "out.nbl or out.onnx; out.npz for data")->required();
    app.add_option("--opset", opset_, "newest ONNX opset to write")
        ->check(CLI::IsMember({13, 21, 25}));
  }

  int run(Console& console) override {
    if (is_model(input_)) {
      convert_model(console);
    } else {
      if (!output_.ends_with(".npz"))
        throw Error(ErrorKind::kUsage, "'" + output_ + "': data becomes arrays, expected out.npz");
      auto dataset = data::open_dataset(input_, {}, data::Part::kTrain);
      console.line(dataset->describe());
      write_arrays(*dataset, output_, console);
    }
    console.line("wrote " + output_);
    console.result({{"input", input_}, {"output", output_}});
    return 0;
  }

 private:
  void convert_model(Console& console) const {
    const pipeline::Network network = pipeline::load_network(input_);
    if (!network.graph)
      throw Error(ErrorKind::kUsage,
                  "a .nbl file is packed for running and is not converted back; give the .onnx",
                  input_);
    const graph::Graph& graph = *network.graph;
    pipeline::OutputFiles files;
    if (output_.ends_with(".nbl")) {
      const Buffer nbl = pack::pack_nbl(graph.phase == graph::Phase::kAnnotated
                                            ? lower::lower_to_integer(graph).graph
                                            : lower::channels_last(graph));
      files.add(output_, std::span(nbl.data(), nbl.size()));
    } else if (output_.ends_with(".onnx")) {
      const exporter::OnnxExport onnx = exporter::export_onnx(graph, opset_);
      for (const std::string& note : onnx.notes) console.line("note: " + note);
      files.add(output_, onnx.bytes);
    } else {
      throw Error(ErrorKind::kUsage, "'" + output_ + "': expected out.nbl or out.onnx");
    }
    files.commit();
  }

  std::string input_, output_;
  int opset_ = 21;
};

}  // namespace

std::unique_ptr<Command> make_convert_command() {
  return std::make_unique<ConvertCommand>();
}

}  // namespace nibble::cli
