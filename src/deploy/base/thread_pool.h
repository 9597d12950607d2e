#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace nibble::inline base {

/// A borrowed callable (begin, end) or (begin, end, worker): no heap, valid for the duration of the
/// call it is passed to. `worker` in 0 .. threads-1 names the thread that runs it: calls with the
/// same number never overlap, so a workspace may be chosen by it.
class RangeFunction {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, RangeFunction>)
      RangeFunction(F&& f)  // NOLINT: implicit on purpose
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* object, int64_t begin, int64_t end, int worker) {
          auto& function = *static_cast<std::remove_reference_t<F>*>(object);
          if constexpr (std::is_invocable_v<decltype(function), int64_t, int64_t, int>)
            function(begin, end, worker);
          else
            function(begin, end);
        }) {}
  void operator()(int64_t begin, int64_t end, int worker) const {
    call_(object_, begin, end, worker);
  }

 private:
  void* object_;
  void (*call_)(void*, int64_t, int64_t, int);
};

/// A fixed set of workers that split ranges. Results never depend on the number of threads: a
/// kernel gives each element of its output to exactly one call and reduces in a fixed order inside
/// it.
class ThreadPool {
 public:
  /// `threads` >= 1 counts the caller; 1 starts no worker.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  /// Calls f on disjoint sub-ranges that cover [0, count), each a multiple of `grain` long but for
  /// the last. Runs on the caller alone where count <= grain. One call at a time; not re-entrant.
  void parallel_for(int64_t count, int64_t grain, RangeFunction f);

  /// While one lives, no worker sleeps: parallel_for then hands work over in a fraction of a
  /// microsecond, where waking a thread takes many. Soon after its end workers sleep. One at a
  /// time.
  class Awake {
   public:
    explicit Awake(ThreadPool& pool);
    ~Awake();
    Awake(const Awake&) = delete;
    Awake& operator=(const Awake&) = delete;

   private:
    ThreadPool& pool_;
  };

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nibble::inline base
