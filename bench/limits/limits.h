#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nibble::bench {

/// GB/s that `threads` threads read together, each again and again through its share of a buffer of
/// `bytes` bytes: the size decides the level of memory. The best of the passes of `seconds` s.
double read_gbs(size_t bytes, int threads, double seconds);

struct Int8Peak {
  double gops = 0;       // 1 multiply-accumulate = 2 operations; 0: no loop for this machine
  std::string_view isa;  // whose dot product it is
};

/// Int8 products accumulated in registers alone, no loads, by the best dot product at or below the
/// ceiling in $NIBBLE_ISA (AVX2: maddubs, madd, add; AMX is not among them). The best of the passes
/// of `seconds` s.
Int8Peak int8_peak(int threads, double seconds);

// One core's loops. int8_loop: `steps` rounds of independent accumulations; returns the operations
// done. sweep: XOR of `count` 64-byte lines, a multiple of 4; aligned.
using ReadLoop = uint64_t (*)(const void* lines, size_t count);
namespace x86_avx2 {
double int8_loop(long steps);
uint64_t sweep(const void* lines, size_t count);
}  // namespace x86_avx2
namespace x86_avxvnni {
double int8_loop(long steps);
}
namespace x86_avx512vnni {
double int8_loop(long steps);
}

}  // namespace nibble::bench
