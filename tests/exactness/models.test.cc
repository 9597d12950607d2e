#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "net.h"
#include "quant/data/dataset.h"
#include "quant/importer/importer.h"
#include "quant/pipeline/calibration.h"
#include "quant/pipeline/network.h"
#include "quant/pipeline/place_quantizers.h"

/// Trained networks through the whole of quantisation: the integers of every ISA and thread count
/// give the bytes of the simulation, at every output.
namespace nibble::exactness {
namespace {

namespace fs = std::filesystem;

struct Job {
  std::string scheme;
  RequantiseVariant requantise;
};

constexpr auto kFloat = RequantiseVariant::kFloat;
constexpr auto kFixed = RequantiseVariant::kFixed;

/// Both variants of three schemes, for networks that run in milliseconds.
const std::vector<Job> kSmall = {{"W8A8", kFloat}, {"W8A8", kFixed}, {"W4A8", kFloat},
                                 {"W4A8", kFixed}, {"W4A4", kFloat}, {"W4A4", kFixed}};

/// And the narrowest.
const std::vector<Job> kSmallAndOneBit = [] {
  std::vector<Job> jobs = kSmall;
  for (const char* scheme : {"W1A8", "WTA8", "W1A1"}) jobs.push_back({scheme, kFloat});
  jobs.push_back({"W1A1", kFixed});
  return jobs;
}();

struct Case {
  std::string name;
  std::string model = {};  // under the data folder; empty: the demo network
  std::string data = {};   // data spec under the data folder; empty: uniform over [lo, hi)
  float lo = 0, hi = 0;
  std::vector<Job> jobs = kSmall;
  int64_t samples = 3;      // that are compared
  int64_t calibration = 4;  // that grids are chosen on, other ones
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

const Case kCases[] = {
    {.name = "Glyphs", .data = "synthetic:7@preprocess=unit"},
    {.name = "GlyphsOddWidths",
     .data = "synthetic:8@preprocess=unit",
     .jobs = {{"W8AI16", kFloat},
              {"W8AI16", kFixed},
              {"W2A2", kFloat},
              {"W3A5", kFixed},
              {"W5A7_ASYM", kFloat},
              {"W4A16G32", kFloat},
              {"W4A8G32", kFixed}}},
    {.name = "GlyphsOneBit",
     .data = "synthetic:9@preprocess=unit",
     .jobs = {{"W1A8", kFloat},
              {"W1A8", kFixed},
              {"WTA8", kFloat},
              {"WTA2", kFixed},
              {"W2A1", kFloat},
              {"W1A1", kFloat},
              {"W1A1", kFixed},
              {"W1A4_ASYM", kFloat},
              {"W1A16", kFloat},
              {"WTA16", kFloat},
              {"W1A8G32", kFloat}}},
    {.name = "ResNet8",
     .model = "mlperf_tiny/ic_resnet8_fp32.onnx",
     .data = "cifar10/test_batch.bin",
     .jobs = kSmallAndOneBit},
    {.name = "DsCnn",
     .model = "mlperf_tiny/kws_dscnn_fp32.onnx",
     .data = "mlperf_tiny/kws01_eembc_1000x49x10.i8@raw=i8,shape=1x49x10,scale=0.5847029,zero=83"},
    {.name = "MobileNetV1",
     .model = "mlperf_tiny/vww_mobilenetv1_025_96_fp32.onnx",
     .lo = 0,
     .hi = 1},
    {.name = "Autoencoder", .model = "mlperf_tiny/ad_autoencoder_fp32.onnx", .lo = -60, .hi = 10},
    {.name = "ResNet20",
     .model = "cifar10_models/resnet20_cifar10_fp32.onnx",
     .data = "cifar10/test_batch.bin@preprocess=imagenet"},
    {.name = "ResNet56",
     .model = "cifar10_models/resnet56_cifar10_fp32.onnx",
     .data = "cifar10/test_batch.bin@preprocess=imagenet",
     .jobs = {{"W8A8", kFloat}, {"W4A4", kFixed}},
     .samples = 2},
    {.name = "MobileNetV2",
     .model = "imagenet/mobilenet_v2_1.0_224_fp32.onnx",
     .data = "imagenet/sample1000_224@preprocess=tf",
     .jobs = {{"W8A8", kFloat}, {"W8A8", kFixed}},
     .samples = 1},
    {.name = "SqueezeNet",
     .model = "imagenet/squeezenet_v1.0_deepcompressed_fp32.onnx",
     .data = "imagenet/sample1000_224@preprocess=caffe",
     .jobs = {{"W8A8", kFloat}, {"W4A8", kFixed}},
     .samples = 1},
    {.name = "Stories260k",
     .model = "lm/stories260k_fp32.onnx",
     .data = "lm/tinystories_tok512_windows.u16@window=257",
     .jobs = {{"W8A8", kFloat}, {"W8A8", kFixed}, {"W8AI16", kFloat}, {"W4A16G32", kFloat}},
     .samples = 1},
};

/// Uniform numbers; sample i depends on i alone.
class Uniform final : public data::Dataset {
 public:
  Uniform(std::vector<data::InputSpec> inputs, float lo, float hi)
      : inputs_(std::move(inputs)), lo_(lo), hi_(hi) {}
  std::string describe() const override { return "uniform numbers"; }
  int64_t size() const override { return 1000; }
  bool has_labels() const override { return false; }
  const std::vector<data::InputSpec>& inputs() const override { return inputs_; }
  data::Batch read(int64_t first, int64_t count) override {
    data::Batch batch;
    batch.count = count;
    for (const data::InputSpec& spec : inputs_) {
      Shape shape = spec.shape;
      shape[0] = count;
      Tensor& tensor = batch.inputs.emplace_back(DType::kF32, shape);
      const int64_t each = tensor.size() / count;
      for (int64_t i = 0; i < count; ++i) {
        std::mt19937 random(static_cast<unsigned>(first + i));
        for (float& v : tensor.span<float>().subspan(i * each, each))
          v = lo_ + (hi_ - lo_) * static_cast<float>(random() >> 8) * 0x1p-24f;
      }
    }
    return batch;
  }

 private:
  std::vector<data::InputSpec> inputs_;
  float lo_, hi_;
};

fs::path data_folder() {
  const char* set = std::getenv("NIBBLE_DATA");
  return set && *set ? fs::path(set) : fs::path(NIBBLE_SOURCE_DIR) / "build/data";
}

std::unique_ptr<data::Dataset> open(const Case& c, const model::Model& model) {
  auto inputs = pipeline::input_specs(model);
  if (c.data.empty()) return std::make_unique<Uniform>(std::move(inputs), c.lo, c.hi);
  const std::string spec = c.model.empty() ? c.data : (data_folder() / c.data).string();
  return data::open_dataset(spec, inputs, data::Part::kTest);
}

std::vector<Tensor> outputs(std::shared_ptr<const model::Model> model,
                            const std::vector<TensorView>& inputs, Isa isa, int threads) {
  auto session = pipeline::make_session(std::move(model), {.threads = threads, .isa = isa});
  const Status status = session->run(inputs);
  EXPECT_TRUE(status.ok()) << status.message();
  std::vector<Tensor> results;
  for (size_t i = 0; status.ok() && i < session->model().outputs.size(); ++i) {
    const TensorView view = session->output(i);
    Tensor& copy = results.emplace_back(view.dtype, view.shape);
    std::memcpy(copy.data(), view.data, view.bytes());
  }
  return results;
}

/// Weighted ops that multiply codes: a network that stays float would equal its simulation, too.
size_t integer_products(const Graph& graph) {
  return static_cast<size_t>(std::count_if(graph.nodes.begin(), graph.nodes.end(), [](auto& node) {
    return node.op == Op::kQConv || node.op == Op::kQGemm;
  }));
}

class Models : public testing::TestWithParam<Case> {};

TEST_P(Models, IntegersGiveTheBytesOfTheSimulation) {
  const Case& c = GetParam();
  const fs::path model = c.model.empty() ? fs::path(NIBBLE_SOURCE_DIR) / "models/demo/glyphs.onnx"
                                         : data_folder() / c.model;
  if (!c.model.empty() && !fs::exists(model))
    GTEST_SKIP() << c.model << " is not in " << data_folder() << "; $NIBBLE_DATA names the folder";
  graph::Graph network = importer::import_onnx(model.string());
  pipeline::apply_default_transforms(network);
  const auto reals = pipeline::runnable(network);
  const auto dataset = open(c, *reals);
  const data::Batch batch = dataset->read(c.calibration, c.samples);
  std::vector<TensorView> inputs;
  for (const Tensor& t : batch.inputs) inputs.push_back(t.view());
  const Isa best = pipeline::ceiling_from_environment();

  for (const Job& job : c.jobs) {
    SCOPED_TRACE(job.scheme + (job.requantise == kFixed ? " fixed" : " float"));
    recipe::Recipe recipe;
    recipe.model = model.string();
    recipe.scheme = job.scheme;
    recipe.requantise = job.requantise;
    recipe.samples = c.calibration;
    pipeline::Placement placement = pipeline::place_quantizers(network, recipe);
    pipeline::choose_grids(placement, network, recipe, dataset.get(), {.threads = 2, .isa = best},
                           {});
    const auto simulation = pipeline::runnable(placement.graph);
    const lower::Lowered lowered = lower::lower_to_integer(placement.graph);
    const recipe::Scheme scheme = recipe::parse_scheme(job.scheme);
    if (scheme.activations != recipe::Scheme::Activations::kFloat && scheme.group == 0) {
      EXPECT_EQ(integer_products(lowered.graph), placement.weights.size());
    }
    const auto integers = pack::pack(lowered.graph);
    const std::vector<Tensor> simulated = outputs(simulation, inputs, best, 2);
    ASSERT_FALSE(simulated.empty());
    EXPECT_GT(distinct(simulated[0]), 1u);
    for (Isa isa : runnable_isas()) {
      if (!allowed(isa, best)) continue;
      for (int threads : {1, 2}) {
        SCOPED_TRACE(std::string(name_of(isa)) + ", threads: " + std::to_string(threads));
        expect_same_bytes(simulated, outputs(integers, inputs, isa, threads));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Trained, Models, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace nibble::exactness
