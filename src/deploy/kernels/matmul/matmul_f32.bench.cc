// Goal: at least 60 % of the core's binary32 FMA peak on products that fill the tiles (AVX-512 at
// one FMA of 16 lanes a cycle: 32 flop/cycle).
#include <benchmark/benchmark.h>

#include <limits>
#include <string>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/matmul/panels_f32.h"

namespace nibble::kernels {
namespace {

void run(benchmark::State& state, const MatmulF32Variant& variant) {
  const int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  Tensor a(DType::kF32, {m * k}), b(DType::kF32, {packed_f32(n, k)}), y(DType::kF32, {m * n});
  for (float& v : a.span<float>()) v = 0.5f;
  for (float& v : b.span<float>()) v = 0.25f;
  std::vector<float> bias(static_cast<size_t>(panels_f32(n) * kPanelF32));
  const RowPlan plan = RowPlan::matrix(m, k, k);
  ThreadPool pool(1);
  constexpr float kInf = std::numeric_limits<float>::infinity();
  Buffer workspace(matmul_f32_workspace(n, plan, 1));
  for (auto _ : state)
    matmul_f32(variant,
               {.b = b.span<float>().data(), .bias = bias.data(), .n = n, .lo = -kInf, .hi = kInf},
               plan,
               {.a = a.span<float>().data(),
                .out = y.span<float>().data(),
                .stride = n,
                .workspace = workspace.data()},
               pool);
  state.counters["GFLOPS"] = benchmark::Counter(2e-9 * static_cast<double>(m * n * k),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

const int registered = [] {
  for (const MatmulF32Variant& variant : matmul_f32_variants()) {
    if (variant.isa == Isa::kPortable || !cpu_runs(variant.isa)) continue;
    auto* bench =
        benchmark::RegisterBenchmark(std::string(variant.name).c_str(),
                                     [&variant](benchmark::State& state) { run(state, variant); });
    bench->Args({512, 512, 512})
        ->Args({128, 4096, 4096})
        ->Args({3136, 64, 576})
        ->Args({49, 960, 160})
        ->Args({1, 1000, 1280});
  }
  return 0;
}();

}  // namespace
}  // namespace nibble::kernels
