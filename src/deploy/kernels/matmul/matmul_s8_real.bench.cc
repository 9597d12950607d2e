// Goal: within a fifth of matmul_s8 at the same width (its bench), and never less with fewer bits.
#include <benchmark/benchmark.h>

#include <limits>
#include <string>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/kernels/matmul/matmul.h"

namespace nibble::kernels {
namespace {

void run(benchmark::State& state, const MatmulS8Variant& variant) {
  const int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  MatmulRealS8 p{.bits = static_cast<int>(state.range(3)), .n = n, .k_padded = k};
  p.block = state.range(4) ? state.range(4) : k;
  Tensor a(DType::kI8, {m * k}), b(DType::kU8, {n * k / 8 * p.bits}), y(DType::kF32, {m * n});
  for (int64_t i = 0; i < a.size(); ++i) a.span<int8_t>()[i] = static_cast<int8_t>(i * 57);
  for (int64_t i = 0; i < b.size(); ++i) b.span<uint8_t>()[i] = static_cast<uint8_t>(i * 91);
  const std::vector<float> scales(static_cast<size_t>(n * p.blocks()), 1e-4f);
  const std::vector<float> row_scales(static_cast<size_t>(m), 1e-2f), bias(static_cast<size_t>(n));
  std::vector<int32_t> sums(static_cast<size_t>(m * p.blocks()));
  p.b = reinterpret_cast<const std::byte*>(b.span<uint8_t>().data());
  p.offset = 1 << (p.bits - 1);
  p.scales = scales.data(), p.bias = bias.data();
  p.lo = -std::numeric_limits<float>::infinity(), p.hi = -p.lo;
  ThreadPool pool(1);
  for (auto _ : state)
    matmul_real_s8(variant, p, a.span<int8_t>().data(), row_scales.data(), m, sums.data(),
                   y.span<float>().data(), pool);
  state.counters["GOPS"] = benchmark::Counter(2e-9 * static_cast<double>(m * n * k),
                                              benchmark::Counter::kIsIterationInvariantRate);
  state.counters["GB/s"] = benchmark::Counter(1e-9 * static_cast<double>(b.size()),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

const int registered = [] {
  for (const MatmulS8Variant& variant : matmul_s8_variants()) {
    if (variant.isa == Isa::kPortable || !cpu_runs(variant.isa)) continue;
    auto* bench =
        benchmark::RegisterBenchmark(("real " + std::string(variant.name)).c_str(),
                                     [&variant](benchmark::State& state) { run(state, variant); });
    for (int64_t m : {1, 128})
      for (int64_t bits = 8; bits >= 1; --bits)
        for (int64_t block : {0, 32}) bench->Args({m, 4096, 4096, bits, block});
  }
  return 0;
}();

}  // namespace
}  // namespace nibble::kernels
