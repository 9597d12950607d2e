#include <algorithm>
#include <memory>
#include <vector>

#include "bench/limits/limits.h"
#include "bench/limits/together.h"
#include "deploy/base/cpu.h"
#include "deploy/base/tensor.h"

namespace nibble::bench {
namespace {

uint64_t sweep_words(const void* lines, size_t count) {
  const auto* words = static_cast<const uint64_t*>(lines);
  uint64_t a = 0, b = 0, c = 0, d = 0;
  for (size_t i = 0; i < count * 8; i += 4) {
    a ^= words[i];
    b ^= words[i + 1];
    c ^= words[i + 2];
    d ^= words[i + 3];
  }
  return a ^ b ^ c ^ d;
}

ReadLoop best_loop() {
#if defined(__x86_64__)
  if (cpu_runs(Isa::kAvx2)) return x86_avx2::sweep;
#endif
  return sweep_words;
}

}  // namespace

double read_gbs(size_t bytes, int threads, double seconds) {
  const size_t share = std::max<size_t>(4, bytes / 64 / static_cast<size_t>(threads) / 4 * 4);
  const size_t sweeps = std::max<size_t>(1, (4u << 20) / (share * 64));
  const auto count = static_cast<size_t>(threads);
  Tensor buffer(DType::kU8, {static_cast<int64_t>(share * count * 64)});
  std::ranges::fill(buffer.span<uint8_t>(), uint8_t{1});
  std::vector<uint64_t> results(count * 8);  // a cache line a thread
  const ReadLoop sweep = best_loop();
  const double pass = best_pass(threads, seconds, [&](int thread) {
    const auto t = static_cast<size_t>(thread);
    for (size_t s = 0; s < sweeps; ++s)
      results[t * 8] ^= sweep(buffer.span<uint8_t>().data() + t * share * 64, share);
  });
  return static_cast<double>(sweeps * share * count * 64) / pass * 1e-9;
}

}  // namespace nibble::bench
