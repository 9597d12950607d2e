// Goal: at least 80 % of the core's 8-bit peak on products that fill the tiles (AVX-512 VNNI at one
// vpdpbusd a cycle: 128 op/cycle; AVX2 at one 32-byte multiply-add a cycle: 32 op/cycle), and never
// less with fewer bits.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/kernels/matmul/matmul.h"

namespace nibble::kernels {
namespace {

void run(benchmark::State& state, const MatmulS8Variant& variant) {
  const int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  const int bits = static_cast<int>(state.range(3)), a_bits = static_cast<int>(state.range(4));
  const int64_t k_padded = (k + 63) / 64 * 64, n_padded = (n + 31) / 32 * 32;
  Tensor a(DType::kI8, {m * k}), b(DType::kU8, {n_padded * k_padded / 8 * bits}),
      y(DType::kI8, {m * n});
  for (int64_t i = 0; i < a.size(); ++i)
    a.span<int8_t>()[i] = static_cast<int8_t>(a_bits == 8 ? i * 57 : i * 57 & ((1 << a_bits) - 1));
  for (int64_t i = 0; i < b.size(); ++i) b.span<uint8_t>()[i] = static_cast<uint8_t>(i * 91);
  const std::vector<int32_t> zeros(static_cast<size_t>(n_padded)), sums(static_cast<size_t>(m));
  const std::vector<float> multiplier(static_cast<size_t>(n_padded), 1e-4f);
  MatmulS8 problem;
  problem.b = reinterpret_cast<const std::byte*>(b.span<uint8_t>().data());
  problem.bits = bits;
  problem.n = n, problem.n_padded = n_padded, problem.k_padded = k_padded;
  problem.a_max = a_bits == 8 ? 128 : (1 << a_bits) - 1;
  problem.output.bias = problem.output.w_zero = zeros.data();
  problem.output.same_zero = true;
  problem.output.multiplier = multiplier.data();
  const RowPlan plan = RowPlan::matrix(m, k, k);
  ThreadPool pool(1);
  Buffer workspace(matmul_s8_workspace(variant, problem, plan, 1));
  const MatmulS8Data data{.a = a.span<int8_t>().data(),
                          .row_sums = sums.data(),
                          .out = y.span<int8_t>().data(),
                          .stride = n,
                          .workspace = workspace.data()};
  for (auto _ : state) matmul_s8(variant, problem, plan, data, pool);
  state.counters["GOPS"] = benchmark::Counter(2e-9 * static_cast<double>(m * n * k),
                                              benchmark::Counter::kIsIterationInvariantRate);
  state.counters["GB/s"] = benchmark::Counter(1e-9 * static_cast<double>(b.size()),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

const int registered = [] {
  for (const MatmulS8Variant& variant : matmul_s8_variants()) {
    if (variant.isa == Isa::kPortable || !cpu_runs(variant.isa)) continue;
    auto* bench =
        benchmark::RegisterBenchmark(std::string(variant.name).c_str(),
                                     [&variant](benchmark::State& state) { run(state, variant); });
    for (int64_t bits : {8, 7, 6, 5, 4, 3, 2, 1})
      bench->Args({128, 4096, 4096, bits, 8})->Args({1, 4096, 4096, bits, 8});
    for (int64_t bits : {4, 2, 1}) bench->Args({128, 4096, 4096, bits, bits});
    for (int64_t bits : {8, 4, 2})
      bench->Args({3136, 64, 576, bits, 8})
          ->Args({49, 960, 160, bits, 8})
          ->Args({12544, 16, 96, bits, 8})
          ->Args({12544, 96, 16, bits, 8})
          ->Args({1, 1000, 1280, bits, 8});
  }
  return 0;
}();

}  // namespace
}  // namespace nibble::kernels
