// Goal: at least 80 % of the core's 8-bit dot-product peak on products that fill the tiles (AVX-512
// VNNI at one vpdpbusd a cycle: 128 op/cycle).
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/kernels/matmul/matmul.h"

namespace nibble::kernels {
namespace {

void run(benchmark::State& state, const MatmulS8Variant& variant) {
  const int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  const int64_t k_padded = (k + 63) / 64 * 64, n_padded = (n + 31) / 32 * 32;
  Tensor a(DType::kI8, {m * k}), b(DType::kU8, {n_padded * k_padded}), y(DType::kI8, {m * n});
  for (int64_t i = 0; i < a.size(); ++i) a.span<int8_t>()[i] = static_cast<int8_t>(i * 57);
  for (int64_t i = 0; i < b.size(); ++i) b.span<uint8_t>()[i] = static_cast<uint8_t>(i * 91);
  const std::vector<int32_t> zeros(static_cast<size_t>(n_padded)), sums(static_cast<size_t>(m));
  const std::vector<float> multiplier(static_cast<size_t>(n_padded), 1e-4f);
  const OutputS8 output{.bias = zeros.data(),
                        .w_zero = zeros.data(),
                        .same_zero = true,
                        .multiplier = multiplier.data()};
  const RowPlan plan = RowPlan::matrix(m, k, k);
  ThreadPool pool(1);
  for (auto _ : state)
    matmul_s8(variant,
              {.b = b.span<uint8_t>().data(), .n = n, .k_padded = k_padded, .output = output}, plan,
              a.span<int8_t>().data(), sums.data(), y.span<int8_t>().data(), n, pool);
  state.counters["GOPS"] = benchmark::Counter(2e-9 * static_cast<double>(m * n * k),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

const int registered = [] {
  for (const MatmulS8Variant& variant : matmul_s8_variants()) {
    if (variant.isa == Isa::kPortable || !cpu_runs(variant.isa)) continue;
    auto* bench =
        benchmark::RegisterBenchmark(std::string(variant.name).c_str(),
                                     [&variant](benchmark::State& state) { run(state, variant); });
    bench->Args({512, 512, 512})
        ->Args({3136, 64, 576})
        ->Args({49, 960, 160})
        ->Args({12544, 16, 96});
    bench->Args({12544, 96, 16})->Args({1, 1000, 1280});
  }
  return 0;
}();

}  // namespace
}  // namespace nibble::kernels
