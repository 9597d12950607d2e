#include <algorithm>
#include <cstdint>
#include <vector>

#include "bench/limits/limits.h"
#include "bench/limits/together.h"

namespace nibble::bench {
namespace {

using Lane = uint64_t __attribute__((vector_size(64)));

#if defined(__x86_64__)
#define EVERY_VECTOR_WIDTH __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define EVERY_VECTOR_WIDTH
#endif

/// XOR of `count` 64-byte lanes, four at a time: enough loads in flight to reach the limit, and an
/// operation that costs nothing beside them.
EVERY_VECTOR_WIDTH uint64_t sweep(const Lane* lanes, size_t count) {
  Lane sums[4] = {};
  for (size_t i = 0; i + 4 <= count; i += 4)
    for (size_t j = 0; j < 4; ++j) sums[j] ^= lanes[i + j];
  for (size_t j = 1; j < 4; ++j) sums[0] ^= sums[j];
  return sums[0][0];
}

}  // namespace

double read_gbs(size_t bytes, int threads, double seconds) {
  const size_t share = std::max<size_t>(8, bytes / 64 / static_cast<size_t>(threads) / 8 * 8);
  const size_t sweeps = std::max<size_t>(1, (4u << 20) / (share * 64));
  std::vector<Lane> buffer(share * static_cast<size_t>(threads), Lane{1});
  std::vector<uint64_t> results(static_cast<size_t>(threads) * 8);
  const double pass = best_pass(threads, seconds, [&](int thread) {
    const auto t = static_cast<size_t>(thread);
    for (size_t s = 0; s < sweeps; ++s) {
      results[t * 8] ^= sweep(buffer.data() + t * share, share);
      asm volatile("" ::: "memory");  // every sweep reads anew
    }
  });
  return static_cast<double>(sweeps * buffer.size() * 64) / pass * 1e-9;
}

}  // namespace nibble::bench
