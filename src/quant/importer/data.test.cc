// Every model of the data folder imports, as given and with its shapes inferred.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "quant/importer/importer.h"

namespace nibble::importer {
namespace {

namespace fs = std::filesystem;

TEST(RealModels, Import) {
  const char* set = std::getenv("NIBBLE_DATA");
  const fs::path data = set && *set ? set : NIBBLE_SOURCE_DIR "/build/data";
  int models = 0;
  for (const char* folder : {"mlperf_tiny", "cifar10_models", "imagenet", "lm"}) {
    if (!fs::is_directory(data / folder)) continue;
    for (const auto& entry : fs::directory_iterator(data / folder)) {
      if (entry.path().extension() != ".onnx") continue;
      SCOPED_TRACE(entry.path().string());
      const graph::Graph graph = import_onnx(entry.path().string());
      EXPECT_EQ(graph.phase, graph::Phase::kFloat);
      EXPECT_GT(graph.nodes.size(), 5u);
      for (const graph::ValueId out : graph.outputs) {
        EXPECT_GT(graph.value(out).shape.rank(), 0);
        EXPECT_EQ(graph.value(out).dtype, DType::kF32);
      }
      ++models;
    }
  }
  if (models == 0) GTEST_SKIP() << "no models in " << data << "; $NIBBLE_DATA names the folder";
}

}  // namespace
}  // namespace nibble::importer
