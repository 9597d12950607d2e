#include "quant/pipeline/benchmark.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "quant/graph/error.h"

namespace nibble::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<LayerTime> time_layers(run::Session& session, const std::vector<TensorView>& inputs) {
  constexpr int kProfiledRuns = 11;
  std::vector<std::vector<double>> seconds;
  std::vector<run::StepProfile> profile;
  session.set_profiling(true);
  for (int i = 0; i < kProfiledRuns; ++i) {
    throw_if_error(session.run(inputs), ErrorKind::kModel, session.model().source);
    profile = session.profile();
    seconds.resize(profile.size());
    for (size_t s = 0; s < profile.size(); ++s) seconds[s].push_back(profile[s].seconds);
  }
  session.set_profiling(false);
  std::vector<LayerTime> layers;
  for (size_t s = 0; s < profile.size(); ++s) {
    const double t = median(seconds[s]);
    layers.push_back({std::string(profile[s].node), std::string(profile[s].kernel), profile[s].op,
                      t * 1e6, t > 0 ? 2 * profile[s].macs / t * 1e-9 : 0,
                      t > 0 ? profile[s].bytes / t * 1e-9 : 0});
  }
  return layers;
}

}  // namespace

std::vector<Tensor> random_inputs(const model::Model& model, int64_t batch, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Tensor> inputs;
  for (int index : model.inputs) {
    const model::TensorInfo& info = model.tensors[index];
    Shape shape = info.shape;
    for (int d = 0; d < shape.rank(); ++d)
      if (shape[d] == kUnknownDim) {
        if (d > 0)
          throw Error(ErrorKind::kModel,
                      "input '" + info.name + "' is " + to_string(info.shape) +
                          "; only its first dimension may be free",
                      model.source);
        shape[d] = batch;
      }
    Tensor tensor(info.dtype, shape);
    visit_dtype(info.dtype, [&]<class T>(std::type_identity<T>) {
      for (T& value : tensor.span<T>()) {
        const uint64_t bits = random();
        if constexpr (std::is_floating_point_v<T>) {
          value = static_cast<T>(static_cast<double>(bits >> 40) * 0x1p-24);
        } else {
          value = static_cast<T>(bits & 1);
        }
      }
    });
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

Benchmark benchmark(const Network& network, const RunOptions& options, double seconds,
                    uint64_t seed) {
  constexpr int kLeastRuns = 10;
  auto session = make_session(network.model, options);
  const std::vector<Tensor> tensors = random_inputs(*network.model, options.batch, seed);
  std::vector<TensorView> inputs;
  for (const Tensor& t : tensors) inputs.push_back(t.view());
  const auto run = [&] {
    const auto start = Clock::now();
    throw_if_error(session->run(inputs), ErrorKind::kModel, network.path);
    return seconds_since(start);
  };
  for (int i = 0; i < 3; ++i) run();
  std::vector<double> times;
  for (const auto start = Clock::now();
       static_cast<int>(times.size()) < kLeastRuns || seconds_since(start) < seconds;)
    times.push_back(run());
  std::sort(times.begin(), times.end());
  Benchmark result;
  result.runs = static_cast<int>(times.size());
  result.min_us = times.front() * 1e6;
  result.median_us = times[times.size() / 2] * 1e6;
  result.p90_us = times[times.size() * 9 / 10] * 1e6;
  result.peak_activation_bytes = session->peak_activation_bytes();
  result.layers = time_layers(*session, inputs);
  return result;
}

}  // namespace nibble::pipeline
