#include "bench/limits/together.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <limits>
#include <thread>
#include <vector>

namespace nibble::bench {

double best_pass(int threads, double seconds, const std::function<void(int)>& work) {
  using Clock = std::chrono::steady_clock;
  std::barrier start(threads), end(threads);
  double best = std::numeric_limits<double>::infinity();
  bool more = true;
  const auto until = Clock::now() + std::chrono::duration<double>(seconds);
  const auto body = [&](int thread) {
    while (true) {
      start.arrive_and_wait();
      if (!more) return;
      const auto begin = Clock::now();
      work(thread);
      end.arrive_and_wait();
      if (thread != 0) continue;
      best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
      more = Clock::now() < until;
    }
  };
  std::vector<std::jthread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back(body, t);
  body(0);
  return best;
}

}  // namespace nibble::bench
