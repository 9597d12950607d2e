#pragma once

#include <cstdint>

namespace nibble::data {

/// splitmix64 (Steele, Lea, Flood 2014): the n-th number is a hash of seed + n * golden ratio, so
/// that any stream is reached at once. The same numbers on every machine.
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, bound), without bias: numbers of the incomplete last round are drawn again.
  uint64_t below(uint64_t bound) {
    const uint64_t rest = (0 - bound) % bound;  // 2^64 mod bound
    while (true) {
      const uint64_t x = next();
      if (x >= rest) return x % bound;
    }
  }
  /// Uniform in [0, 1): a multiple of 2^-24, exact in binary32.
  float uniform() { return static_cast<float>(next() >> 40) * 0x1p-24f; }

 private:
  uint64_t state_;
};

}  // namespace nibble::data
