// nibble-onednn f32|u8s8 SECONDS < NETWORK: times the layers of a network (read_network) in oneDNN.
// They run one after another in the network's order, each reading the buffer that the one before
// wrote, so that they find the caches as a network leaves them. Prints one JSON object a layer:
// {"name", "us" (median over the passes), "implementation"}, us null where oneDNN has none.
// Threads: OMP_NUM_THREADS; instruction set: ONEDNN_MAX_CPU_ISA.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <vector>

#include "bench/onednn/layer.h"

namespace nibble::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Timed {
  LayerShape shape;
  std::unique_ptr<Layer> layer;  // null: oneDNN has no implementation
  std::vector<double> seconds;
};

void print(Timed& timed) {
  if (!timed.layer) {
    std::printf("{\"name\": \"%s\", \"us\": null, \"implementation\": null}\n",
                timed.shape.name.c_str());
    return;
  }
  std::sort(timed.seconds.begin(), timed.seconds.end());
  std::printf("{\"name\": \"%s\", \"us\": %.3f, \"implementation\": \"%s\"}\n",
              timed.shape.name.c_str(), timed.seconds[timed.seconds.size() / 2] * 1e6,
              timed.layer->implementation().c_str());
}

void time_network(std::istream& in, Precision precision, double seconds) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  std::vector<Timed> layers;
  size_t bytes = 64;
  for (LayerShape& shape : read_network(in)) {
    Timed& timed = layers.emplace_back();
    try {
      timed.layer = std::make_unique<Layer>(engine, stream, shape, precision);
      bytes = std::max({bytes, timed.layer->source_bytes(), timed.layer->output_bytes()});
    } catch (const dnnl::error& e) {
      if (e.status != dnnl_unimplemented) throw;
    }
    timed.shape = std::move(shape);
  }
  // The bytes are 60 as u8 and about 0.01 as f32: nothing denormal.
  std::vector<unsigned char> buffers[2] = {std::vector<unsigned char>(bytes + 64, 0x3c),
                                           std::vector<unsigned char>(bytes + 64, 0x3c)};
  const auto aligned = [&](size_t i) {
    const auto address = reinterpret_cast<uintptr_t>(buffers[i % 2].data());
    return reinterpret_cast<void*>((address + 63) / 64 * 64);
  };
  for (size_t i = 0; i < layers.size(); ++i)
    if (layers[i].layer) layers[i].layer->bind(engine, aligned(i), aligned(i + 1));
  const auto pass = [&] {
    for (Timed& timed : layers) {
      if (!timed.layer) continue;
      const auto start = Clock::now();
      timed.layer->run(stream);
      timed.seconds.push_back(seconds_since(start));
    }
  };
  pass();
  for (Timed& timed : layers) timed.seconds.clear();
  int passes = 0;
  for (const auto start = Clock::now(); passes < 5 || seconds_since(start) < seconds; ++passes)
    pass();
  for (Timed& timed : layers) print(timed);
}

}  // namespace
}  // namespace nibble::bench

int main(int argc, char** argv) {
  const bool f32 = argc == 3 && std::strcmp(argv[1], "f32") == 0;
  if (!f32 && (argc != 3 || std::strcmp(argv[1], "u8s8") != 0)) {
    std::fprintf(stderr, "nibble-onednn f32|u8s8 SECONDS < NETWORK\n");
    return 2;
  }
  try {
    using nibble::bench::Precision;
    nibble::bench::time_network(std::cin, f32 ? Precision::kF32 : Precision::kU8S8,
                                std::atof(argv[2]));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "nibble-onednn: %s\n", e.what());
    return 1;
  }
}
