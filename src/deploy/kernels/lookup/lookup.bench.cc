// Goal: on AVX2 single rows of 4096 codes by 4096 channels faster than unpacking (matmul_s8) at one
// to three bits; on Zen 1 at 2.5 GHz, whose four pipes take 128 bits each, 120 GOPS at W1A8, 75 at
// W2A8, and W3A8 above matmul_s8's W4A8.
#include "deploy/kernels/lookup/lookup.h"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "deploy/base/tensor.h"

namespace nibble::kernels {
namespace {

void run(benchmark::State& state, const LookupVariant& variant) {
  const int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  const int bits = static_cast<int>(state.range(3)), a_bits = static_cast<int>(state.range(4));
  Tensor a(DType::kI8, {m * k}), w(DType::kU8, {lookup_bytes(bits, n, k)}), y(DType::kI8, {m * n});
  for (int64_t i = 0; i < a.size(); ++i)
    a.span<int8_t>()[i] = static_cast<int8_t>(a_bits == 8 ? i * 57 : i * 57 & ((1 << a_bits) - 1));
  for (int64_t i = 0; i < w.size(); ++i) w.span<uint8_t>()[i] = static_cast<uint8_t>(i * 91);
  const std::vector<int32_t> zeros(static_cast<size_t>(n)), sums(static_cast<size_t>(m));
  const std::vector<float> multiplier(static_cast<size_t>(n), 1e-4f);
  Lookup problem;
  problem.w = w.span<uint8_t>().data();
  problem.planes = bits, problem.n = n, problem.k_padded = lookup_k_padded(k);
  if (a_bits < 8) problem.a_min = 0, problem.a_max = (1 << a_bits) - 1;
  problem.output.bias = problem.output.w_zero = zeros.data();
  problem.output.same_zero = true;
  problem.output.multiplier = multiplier.data();
  const RowPlan plan = RowPlan::matrix(m, k, k);
  ThreadPool pool(1);
  Buffer workspace(lookup_workspace(problem, plan, 1));
  const LookupData data{.a = a.span<int8_t>().data(),
                        .row_sums = sums.data(),
                        .out = y.span<int8_t>().data(),
                        .stride = n,
                        .workspace = workspace.data()};
  for (auto _ : state) lookup(variant, problem, plan, data, pool);
  state.counters["GOPS"] = benchmark::Counter(2e-9 * static_cast<double>(m * n * k),
                                              benchmark::Counter::kIsIterationInvariantRate);
  state.counters["GB/s"] = benchmark::Counter(1e-9 * static_cast<double>(w.size()),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

const int registered = [] {
  for (const LookupVariant& variant : lookup_variants()) {
    if (variant.isa == Isa::kPortable || !cpu_runs(variant.isa)) continue;
    auto* bench =
        benchmark::RegisterBenchmark(std::string(variant.name).c_str(),
                                     [&variant](benchmark::State& state) { run(state, variant); });
    for (int64_t bits : {4, 3, 2, 1})
      for (int64_t rows : {1, 4, 128})
        bench->Args({rows, 4096, 4096, bits, 8})->Args({rows, 256, 1024, bits, 8});
    for (int64_t bits : {4, 3, 2, 1}) bench->Args({1, 4096, 4096, bits, 4});
  }
  return 0;
}();

}  // namespace
}  // namespace nibble::kernels
