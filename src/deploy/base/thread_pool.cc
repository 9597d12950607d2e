#include "deploy/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace nibble::inline base {
namespace {

// A worker spins this long for its next range before it sleeps or, kept awake, lets others run
// between its looks: longer than the gap between two layers of a network, shorter than a time
// slice.
constexpr int kSpins = 2000;
constexpr int kSpinsPerYield = 64;
// Chunks a thread: more even out the load, fewer cost less.
constexpr int64_t kChunksPerThread = 4;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

/// `work` is (job number << 32 | chunks not yet taken). A chunk is taken by a compare-and-swap on
/// that word, so a worker that wakes late, during a later job or after the last, takes nothing by
/// mistake: the fields below only change while no chunk is left. The caller takes chunks as well
/// and waits only for those that others have begun, never for a worker to wake up.
struct ThreadPool::Impl {
  std::vector<std::thread> workers;
  std::atomic<uint64_t> work{0};
  std::atomic<uint32_t> jobs{0};  // bumped once a job, and once to stop; what workers sleep on
  std::atomic<bool> stop{false}, awake{false};
  std::atomic<int64_t> unfinished{0};
  std::atomic<const RangeFunction*> function{nullptr};
  std::atomic<int64_t> count{0}, chunk{0};
  std::atomic<uint32_t> chunks{0};

  void take_chunks(int worker) {
    uint64_t word = work.load(std::memory_order_acquire);
    while (static_cast<uint32_t>(word) > 0) {
      const RangeFunction* f = function.load(std::memory_order_relaxed);
      const int64_t n = count.load(std::memory_order_relaxed);
      const int64_t length = chunk.load(std::memory_order_relaxed);
      const uint32_t all = chunks.load(std::memory_order_relaxed);
      if (!work.compare_exchange_weak(word, word - 1, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        continue;
      const int64_t begin = static_cast<int64_t>(all - static_cast<uint32_t>(word)) * length;
      (*f)(begin, std::min(n, begin + length), worker);
      unfinished.fetch_sub(1, std::memory_order_release);
      word = work.load(std::memory_order_acquire);
    }
  }

  /// Every worker that sleeps or spins looks for work; where there is none it spins on.
  void call_workers() {
    jobs.fetch_add(1, std::memory_order_release);
    jobs.notify_all();
  }

  /// Returns when the number of jobs is no longer `seen`.
  void await_call(uint32_t seen) {
    for (int spins = 0; jobs.load(std::memory_order_relaxed) == seen;) {
      pause();
      if (++spins < kSpins) continue;
      if (!awake.load(std::memory_order_relaxed)) return jobs.wait(seen, std::memory_order_acquire);
      std::this_thread::yield();
      spins -= kSpinsPerYield;
    }
  }

  void serve(int worker) {
    uint32_t seen = 0;
    while (true) {
      await_call(seen);
      seen = jobs.load(std::memory_order_acquire);
      if (stop.load(std::memory_order_relaxed)) return;
      take_chunks(worker);
    }
  }
};

ThreadPool::ThreadPool(int threads) : impl_(std::make_unique<Impl>()) {
  for (int i = 1; i < threads; ++i) impl_->workers.emplace_back([this, i] { impl_->serve(i); });
}

ThreadPool::~ThreadPool() {
  impl_->stop.store(true, std::memory_order_relaxed);
  impl_->call_workers();
  for (std::thread& worker : impl_->workers) worker.join();
}

ThreadPool::Awake::Awake(ThreadPool& pool) : pool_(pool) {
  if (pool.impl_->workers.empty()) return;
  pool.impl_->awake.store(true, std::memory_order_relaxed);
  pool.impl_->call_workers();
}

ThreadPool::Awake::~Awake() {
  pool_.impl_->awake.store(false, std::memory_order_relaxed);
}

int ThreadPool::threads() const {
  return static_cast<int>(impl_->workers.size()) + 1;
}

void ThreadPool::parallel_for(int64_t count, int64_t grain, RangeFunction f) {
  if (count <= 0) return;
  grain = std::max<int64_t>(grain, 1);
  if (count <= grain || impl_->workers.empty()) {
    f(0, count, 0);
    return;
  }
  const int64_t grains = (count - 1) / grain + 1;
  const int64_t wanted = std::min(grains, threads() * kChunksPerThread);
  const int64_t length = ((grains - 1) / wanted + 1) * grain;
  const auto chunks = static_cast<uint32_t>((count - 1) / length + 1);

  impl_->function.store(&f, std::memory_order_relaxed);
  impl_->count.store(count, std::memory_order_relaxed);
  impl_->chunk.store(length, std::memory_order_relaxed);
  impl_->chunks.store(chunks, std::memory_order_relaxed);
  impl_->unfinished.store(chunks, std::memory_order_relaxed);
  const uint64_t job = (impl_->work.load(std::memory_order_relaxed) >> 32) + 1;
  impl_->work.store(job << 32 | chunks, std::memory_order_release);
  impl_->call_workers();

  impl_->take_chunks(0);
  for (int i = 0; impl_->unfinished.load(std::memory_order_acquire) > 0; ++i)
    i < kSpins ? pause() : std::this_thread::yield();
}

}  // namespace nibble::inline base
