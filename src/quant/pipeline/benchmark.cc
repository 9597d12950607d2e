#include "quant/pipeline/benchmark.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "quant/graph/error.h"
#include "quant/pipeline/energy_counters.h"

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

/// The profile of one run, with the median times of several.
std::vector<run::StepProfile> profile_steps(run::Session& session,
                                            const std::vector<TensorView>& inputs) {
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
  for (size_t s = 0; s < profile.size(); ++s) profile[s].seconds = median(seconds[s]);
  return profile;
}

int bits_of(const model::TensorInfo& tensor) {
  if (tensor.packed.format != format::FormatId::kPlain) return tensor.packed.bits;
  return tensor.quant ? tensor.quant->bits : static_cast<int>(8 * size_of(tensor.dtype));
}

LayerWork work_of(const run::StepProfile& step, const model::Model& model) {
  const model::NodeInfo& node = model.nodes[step.index];
  LayerWork work{.macs = step.macs, .activation_bytes = step.bytes};
  work.integer = node.op == model::Op::kQConv || node.op == model::Op::kQGemm ||
                 node.op == model::Op::kQMatMul || node.op == model::Op::kQGemmReal;
  for (int input : node.inputs) {
    if (input == model::kNoTensor) continue;
    const model::TensorInfo& tensor = model.tensors[static_cast<size_t>(input)];
    if (tensor.is_constant) work.weight_bytes += static_cast<double>(tensor.data.size());
  }
  work.activation_bytes -= work.weight_bytes;
  if (work.integer) {
    work.activation_bits = bits_of(model.tensors[static_cast<size_t>(node.inputs[0])]);
    work.weight_bits = bits_of(model.tensors[static_cast<size_t>(node.inputs[1])]);
  }
  return work;
}

std::vector<LayerTime> layers_of(const std::vector<run::StepProfile>& profile,
                                 const model::Model& model) {
  std::vector<LayerTime> layers;
  for (const run::StepProfile& step : profile) {
    const double t = step.seconds;
    layers.push_back({std::string(step.node), std::string(step.kernel), std::string(step.copy),
                      step.op, t * 1e6, t > 0 ? 2 * step.macs / t * 1e-9 : 0,
                      t > 0 ? step.bytes / t * 1e-9 : 0, work_of(step, model)});
  }
  return layers;
}

/// A network ready to run on its inputs.
struct Bench {
  Bench(const Network& network, const RunOptions& options, uint64_t seed)
      : path(network.path),
        session(make_session(network.model, options)),
        tensors(random_inputs(*network.model, options.batch, seed)) {
    for (const Tensor& t : tensors) inputs.push_back(t.view());
  }
  void run() { throw_if_error(session->run(inputs), ErrorKind::kModel, path); }

  std::string path;
  std::unique_ptr<run::Session> session;
  std::vector<Tensor> tensors;
  std::vector<TensorView> inputs;
};

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
  Bench bench(network, options, seed);
  const auto run = [&] {
    const auto start = Clock::now();
    bench.run();
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
  result.peak_activation_bytes = bench.session->peak_activation_bytes();
  result.layers = layers_of(profile_steps(*bench.session, bench.inputs), *network.model);
  return result;
}

std::optional<double> measured_joules(const Network& network, const RunOptions& options,
                                      uint64_t seed) {
  auto counters = EnergyCounters::open();
  if (!counters) return std::nullopt;
  Bench bench(network, options, seed);
  bench.run();
  return measure_joules(*counters, [&] { bench.run(); });
}

}  // namespace nibble::pipeline
