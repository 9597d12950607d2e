// nibble-rounds: one model in nibble's runtime, served as rounds of timed runs; the protocol is
// bench/rounds.py's. Inputs are seeded: floats uniform in [0, 1), integers 0 or 1.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bench/server/inputs.h"
#include "nibble/run.h"

namespace nibble::bench {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

int serve(const char* model, int threads, int64_t batch) {
  Error error;
  const auto session = Session::load(model, {.threads = threads}, error);
  const auto failed = [&error] {
    std::fprintf(stderr, "nibble-rounds: %s\n", error.message.c_str());
    return 1;
  };
  if (!session) return failed();
  const Inputs inputs(session->inputs(), batch);
  if (!session->run(inputs.arrays(), error)) return failed();
  std::puts("ready");
  std::fflush(stdout);
  for (char line[64]; std::fgets(line, sizeof line, stdin);) {
    const double budget = std::atof(line) * 1e6;
    std::vector<double> times;
    if (!session->run(inputs.arrays(), error)) return failed();
    for (const auto start = Clock::now(); times.empty() || microseconds_since(start) < budget;) {
      const auto begin = Clock::now();
      if (!session->run(inputs.arrays(), error)) return failed();
      times.push_back(microseconds_since(begin));
    }
    std::sort(times.begin(), times.end());
    std::printf("{\"median_us\": %.3f, \"min_us\": %.3f, \"runs\": %zu}\n", times[times.size() / 2],
                times.front(), times.size());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace nibble::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "nibble-rounds MODEL.nbl THREADS BATCH\n");
    return 2;
  }
  return nibble::bench::serve(argv[1], std::atoi(argv[2]), std::atoll(argv[3]));
}
