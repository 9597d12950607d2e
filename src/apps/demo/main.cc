// The main job on one page: a float network is quantised at three widths, every result is verified,
// run on the integer runtime over a test set and timed. Needs no file but the network: its images
// are generated.
//
//   nibble-demo models/demo/glyphs.onnx

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include "quant/data/dataset.h"
#include "quant/graph/error.h"
#include "quant/pipeline/benchmark.h"
#include "quant/pipeline/evaluate.h"
#include "quant/pipeline/quantize.h"

namespace {

using namespace nibble;

constexpr const char* kCalibration = "synthetic:3@preprocess=unit,samples=512";
constexpr const char* kTest = "synthetic:2@preprocess=unit,samples=4000";
constexpr const char* kFolder = "build/demo";

struct Row {
  std::string name;
  double accuracy, kilobytes, microseconds;
  std::optional<double> sqnr_db;
};

Row measure(const std::string& name, const std::string& path, std::optional<double> sqnr_db) {
  const pipeline::RunOptions options{
      .threads = 2, .isa = pipeline::ceiling_from_environment(), .batch = 32};
  const pipeline::Network network = pipeline::load_network(path);
  const auto test =
      data::open_dataset(kTest, pipeline::input_specs(*network.model), data::Part::kTest);
  const pipeline::Evaluation e = pipeline::evaluate(network, *test, nullptr, {}, options, {});
  const pipeline::Benchmark b =
      pipeline::benchmark(network, {.threads = 1, .isa = options.isa, .batch = 1}, 0.5, 0);
  return {name, e.value.value_or(0) * 100, static_cast<double>(network.file_bytes) / 1000,
          b.median_us, sqnr_db};
}

Row quantize(const std::string& model, const std::string& scheme) {
  recipe::Recipe recipe;
  recipe.model = model;
  recipe.scheme = scheme;
  recipe.calib = kCalibration;
  const std::string output = std::string(kFolder) + "/" + scheme + ".onnx";
  const pipeline::QuantizeResult result = pipeline::quantize(
      recipe, output, {}, {.threads = 2, .isa = pipeline::ceiling_from_environment(), .batch = 32},
      {});
  return measure(scheme, std::filesystem::path(output).replace_extension(".nbl"), result.sqnr_db);
}

void print(const Row& row, const Row& original) {
  char sqnr[16] = "-";
  if (row.sqnr_db) std::snprintf(sqnr, sizeof sqnr, "%.1f", *row.sqnr_db);
  std::printf("%-8s %9.2f %% %9.1f kB %8s dB %9.1f us %8.2fx\n", row.name.c_str(), row.accuracy,
              row.kilobytes, sqnr, row.microseconds, original.microseconds / row.microseconds);
  std::fflush(stdout);
}

void demonstrate(const std::string& model) {
  std::filesystem::create_directories(kFolder);
  std::printf(
      "%s on 4000 generated images; integer runtime, latency of one image on one thread\n\n",
      model.c_str());
  std::printf("%-8s %11s %12s %11s %12s %9s\n", "scheme", "accuracy", "size", "SQNR", "latency",
              "speed-up");
  const Row original = measure("float", model, std::nullopt);
  print(original, original);
  for (const char* scheme : {"W8A8", "W4A8", "W4A4"}) print(quantize(model, scheme), original);
  std::printf("\nwritten and verified: %s/*.onnx, *.nbl, *.recipe.yaml\n", kFolder);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: nibble-demo model.onnx\n");
    return 2;
  }
  try {
    demonstrate(argv[1]);
    return 0;
  } catch (const nibble::Error& e) {
    std::fprintf(stderr, "nibble-demo: %s\n", e.what());
    return static_cast<int>(e.kind);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "nibble-demo: %s\n", e.what());
    return 1;
  }
}
