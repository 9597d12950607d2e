// nibble-limits THREADS [BYTES ...]: this machine's limits as one JSON object: {"int8": {"isa",
// "gops"} or null, "read_gbs": {"BYTES": GB/s ...}}.

#include <cstdio>
#include <cstdlib>

#include "bench/limits/limits.h"

int main(int argc, char** argv) {
  constexpr double kSeconds = 0.3;
  const int threads = argc > 1 ? std::atoi(argv[1]) : 0;
  if (threads < 1) {
    std::fprintf(stderr, "nibble-limits THREADS [BYTES ...]\n");
    return 2;
  }
  const auto peak = nibble::bench::int8_peak(threads, kSeconds);
  if (peak.gops > 0)
    std::printf("{\"int8\": {\"isa\": \"%.*s\", \"gops\": %.1f}", static_cast<int>(peak.isa.size()),
                peak.isa.data(), peak.gops);
  else
    std::printf("{\"int8\": null");
  std::printf(", \"read_gbs\": {");
  for (int i = 2; i < argc; ++i)
    std::printf("%s\"%s\": %.2f", i > 2 ? ", " : "", argv[i],
                nibble::bench::read_gbs(std::strtoull(argv[i], nullptr, 10), threads, kSeconds));
  std::printf("}}\n");
}
