#include "deploy/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace nibble {
namespace {

TEST(ThreadPool, CoversEveryIndexOnceInMultiplesOfTheGrain) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int64_t count : {0, 1, 2, 7, 64, 1000, 4097}) {
      for (int64_t grain : {1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> hits(static_cast<size_t>(count));
        std::mutex mutex;
        std::vector<std::pair<int64_t, int64_t>> ranges;
        pool.parallel_for(count, grain, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) ++hits[static_cast<size_t>(i)];
          const std::lock_guard lock(mutex);
          ranges.emplace_back(begin, end);
        });
        for (auto& hit : hits) ASSERT_EQ(hit, 1);
        if (count <= grain) {
          EXPECT_EQ(ranges.size(), count ? 1u : 0u);
        }
        for (auto [begin, end] : ranges) {
          EXPECT_LT(begin, end);
          if (end != count && threads > 1) {
            EXPECT_EQ((end - begin) % grain, 0);
          }
        }
      }
    }
  }
}

TEST(ThreadPool, WorkersTakePart) {
  ThreadPool pool(2);
  std::atomic<int> inside{0};
  // Both chunks wait for each other: only two threads at once can finish this.
  pool.parallel_for(2, 1, [&](int64_t, int64_t) {
    ++inside;
    while (inside < 2) std::this_thread::yield();
  });
  EXPECT_EQ(inside, 2);
}

TEST(ThreadPool, AWorkerNumberIsNeverInUseTwice) {
  ThreadPool pool(3);
  std::atomic<int> inside[3] = {};
  pool.parallel_for(1000, 1, [&](int64_t, int64_t, int worker) {
    ASSERT_GE(worker, 0);
    ASSERT_LT(worker, pool.threads());
    EXPECT_EQ(inside[worker]++, 0);
    std::this_thread::yield();
    --inside[worker];
  });
}

TEST(ThreadPool, WorkersKeptAwakeTakePartAndStopWithThePool) {
  for (int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    int64_t total = 0;
    for (int run = 0; run < 50; ++run) {
      const ThreadPool::Awake awake(pool);
      for (int job = 0; job < 20; ++job) {
        std::atomic<int64_t> sum{0};
        pool.parallel_for(17, 2, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) sum += i;
        });
        total += sum;
      }
      // Longer than a worker spins before it sleeps.
      if (run % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_EQ(total, 50 * 20 * 136);
  }
  ThreadPool pool(3);
  const ThreadPool::Awake awake(pool);
  pool.parallel_for(0, 1, [](int64_t, int64_t) { FAIL(); });
}

TEST(ThreadPool, ManySmallJobsInARowWithSleepsBetween) {
  ThreadPool pool(3);
  int64_t total = 0;
  for (int job = 0; job < 20000; ++job) {
    std::atomic<int64_t> sum{0};
    pool.parallel_for(17, 2, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) sum += i;
    });
    total += sum;
    if (job % 5000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(total, 20000 * 136);
}

}  // namespace
}  // namespace nibble
