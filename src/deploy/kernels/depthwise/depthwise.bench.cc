// Goal: 8-bit depthwise 3x3 at stride 1 no slower than binary32, at least 60 GOPS a core with
// AVX-512 VNNI (two taps a 16-bit multiply-add).
#include <benchmark/benchmark.h>

#include <limits>
#include <string>
#include <vector>

#include "deploy/kernels/depthwise/runs.h"

namespace nibble::kernels {
namespace {

/// 3x3 over a square image with a border of one pixel.
Windows windows_of(int64_t size, int64_t channels, int64_t stride) {
  Windows w;
  w.groups = channels;
  w.in = {1, size, size};
  w.out = {1, (size - 1) / stride + 1, (size - 1) / stride + 1};
  w.kernel = {1, 3, 3};
  w.stride = {1, stride, stride};
  w.pad = {0, 1, 1};
  return w;
}

template <class T, class Problem>
void run(benchmark::State& state, DepthwiseCore<Problem, T>* core, const Problem& problem,
         const std::vector<int32_t>& order, int64_t block) {
  const Windows w = windows_of(state.range(0), state.range(1), state.range(2));
  const auto size = static_cast<size_t>(w.in[1] * w.in[2] * w.groups);
  const auto results = static_cast<size_t>(w.out[1] * w.out[2] * w.groups);
  const std::vector<T> image(size, T{1}), padding(static_cast<size_t>(block + w.groups));
  std::vector<T> out(results);
  const int64_t fold = depthwise_fold(w.groups, block);
  ThreadPool pool(1);
  for (auto _ : state)
    depthwise<Problem, T>(core, problem, fold, w, order, image.data(), padding.data(), out.data(),
                          pool);
  state.counters["GOPS"] = benchmark::Counter(2e-9 * 9 * static_cast<double>(results),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

void run_f32(benchmark::State& state, const DepthwiseF32Variant& variant) {
  const auto padded = static_cast<size_t>((state.range(1) + 15) / 16 * 16);
  const std::vector<float> weights(9 * padded, 0.5f), bias(padded);
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const DepthwiseF32 problem{.weights = weights.data(),
                             .bias = bias.data(),
                             .channels = state.range(1),
                             .taps = 9,
                             .lo = -kInf,
                             .hi = kInf};
  run<float>(state, variant.core, problem, {0, 1, 2, 3, 4, 5, 6, 7, 8}, kDepthwiseBlockF32);
}

void run_s8(benchmark::State& state, const DepthwiseS8Variant& variant) {
  const auto padded = static_cast<size_t>((state.range(1) + 31) / 32 * 32);
  const std::vector<int16_t> weights(padded / 32 * 5 * kDepthwisePairS8, 3);
  const std::vector<int32_t> zeros(padded);
  const std::vector<float> multiplier(padded, 0.01f);
  DepthwiseS8 problem{
      .weights = weights.data(), .channels = state.range(1), .pairs = 5, .output = {}};
  problem.output.bias = problem.output.w_zero = zeros.data();
  problem.output.multiplier = multiplier.data();
  std::vector<int32_t> order(10);
  depthwise_s8_order(3, 3, 2, order.data());
  run<int8_t>(state, variant.core, problem, order, kDepthwiseBlockS8);
}

template <class Variant>
void add(const Variant& variant, void (*function)(benchmark::State&, const Variant&)) {
  if (variant.isa == Isa::kPortable || !cpu_runs(variant.isa)) return;
  benchmark::RegisterBenchmark(
      std::string(variant.name).c_str(),
      [&variant, function](benchmark::State& state) { function(state, variant); })
      ->Args({112, 32, 1})
      ->Args({112, 96, 2})
      ->Args({56, 144, 1})
      ->Args({28, 192, 1})
      ->Args({14, 384, 1})
      ->Args({7, 960, 1})
      ->Args({48, 8, 1})
      ->Args({48, 16, 2})
      ->Args({24, 32, 1})
      ->Args({6, 128, 1});
}

const int registered = [] {
  for (const auto& variant : depthwise_f32_variants()) add(variant, run_f32);
  for (const auto& variant : depthwise_s8_variants()) add(variant, run_s8);
  return 0;
}();

}  // namespace
}  // namespace nibble::kernels
