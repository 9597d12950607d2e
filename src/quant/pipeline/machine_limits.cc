#include "quant/pipeline/machine_limits.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <thread>

#include "deploy/kernels/simd/select.h"
#include "quant/graph/error.h"
#include "quant/lower/lower.h"
#include "quant/pack/pack.h"
#include "quant/pipeline/read_stream.h"

namespace nibble::pipeline {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kTries = 5;
constexpr double kTrySeconds = 0.01;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The sum over threads, all at work at once, of what each reached; `measure(thread)` returns a
/// rate.
double together(int threads, const std::function<double(int)>& measure) {
  std::vector<double> rates(static_cast<size_t>(threads));
  std::atomic<int> ready{0};
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t)
    workers.emplace_back([&, t] {
      for (++ready; ready < threads;) std::this_thread::yield();
      rates[static_cast<size_t>(t)] = measure(t);
    });
  for (std::thread& worker : workers) worker.join();
  double sum = 0;
  for (double rate : rates) sum += rate;
  return sum;
}

// --- compute

constexpr int64_t kRows = 384, kDepth = 256, kColumns = 64;  // weights and a few rows fill 20 kB

void put_on_grid(graph::Value& value, numeric::RangeKind kind) {
  const numeric::CodeRange codes = numeric::code_range(kind, 8);
  numeric::QuantParams p{.range = kind, .qmin = codes.qmin, .qmax = codes.qmax};
  p.scales = {1.0f / 64};
  value.quant = graph::QuantInfo{p, "machine limits"};
}

/// y = x w, x kRows x kDepth.
std::shared_ptr<const model::Model> product(bool integer) {
  graph::Graph g;
  g.source = "machine limits";
  const graph::ValueId x = g.add_value("x", DType::kF32, {kRows, kDepth});
  Tensor weights(DType::kF32, {kDepth, kColumns});
  for (size_t i = 0; i < weights.span<float>().size(); ++i)
    weights.span<float>()[i] = static_cast<float>(i % 97) / 64 - 0.75f;
  const graph::ValueId w = g.add_constant("w", std::move(weights));
  const graph::ValueId y = g.add_value("y", DType::kF32, {});
  g.inputs = {x};
  g.outputs = {y};
  g.nodes.push_back({graph::Op::kGemm, "product", {}, {x, w}, {y}});
  g.infer_shapes();
  if (!integer) return pack::pack(lower::channels_last(g));
  g.phase = graph::Phase::kAnnotated;
  for (graph::ValueId id : {x, y}) put_on_grid(g.value(id), numeric::RangeKind::kUnsigned);
  put_on_grid(g.value(w), numeric::RangeKind::kRestricted);
  return pack::pack(lower::lower_to_integer(g).graph);
}

/// Operations a second of the step that multiplies, the best of the runs in kTrySeconds.
double product_rate(run::Session& session, const std::vector<TensorView>& inputs) {
  double best = 0;
  for (const auto start = Clock::now(); best == 0 || seconds_since(start) < kTrySeconds;) {
    throw_if_error(session.run(inputs), ErrorKind::kInternal, session.model().source);
    for (const run::StepProfile& step : session.profile())
      if (step.macs > 0 && step.seconds > 0) best = std::max(best, 2 * step.macs / step.seconds);
  }
  return best;
}

double compute_rate(bool integer, const RunOptions& options) {
  const auto model = product(integer);
  std::vector<std::unique_ptr<run::Session>> sessions;
  for (int t = 0; t < options.threads; ++t) {
    sessions.push_back(make_session(model, {.threads = 1, .isa = options.isa}));
    sessions.back()->set_profiling(true);
  }
  Tensor x(DType::kF32, {kRows, kDepth});
  for (size_t i = 0; i < x.span<float>().size(); ++i)
    x.span<float>()[i] = static_cast<float>(i % 251) / 64;
  double best = 0;
  for (int i = 0; i < kTries; ++i)
    best = std::max(best, together(options.threads, [&](int t) {
                      return product_rate(*sessions[static_cast<size_t>(t)], {x.view()});
                    }));
  return best;
}

// --- memory

size_t cache_bytes(int name, size_t otherwise) {
  const long bytes = sysconf(name);
  return bytes > 0 ? static_cast<size_t>(bytes) : otherwise;
}

/// A thread's working set that lies well inside a level and well outside the one before.
struct Region {
  MachineLimits::Level level;
  size_t bytes;
};

std::vector<Region> regions(int threads) {
  const auto all = static_cast<size_t>(threads);
  const size_t l1 = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, size_t{32} << 10);
  const size_t l2 = cache_bytes(_SC_LEVEL2_CACHE_SIZE, size_t{512} << 10);
  const size_t l3 = cache_bytes(_SC_LEVEL3_CACHE_SIZE, size_t{4} << 20);
  // A virtual machine may own less of L3 than it says, so not much of it is used.
  const size_t in_l3 = std::max(2 * l2, std::min(4 * l2, l3 / 2 / all));
  const size_t in_dram = std::clamp(2 * l3, size_t{64} << 20, size_t{256} << 20) / all;
  return {{{"L1", l1 * all, 0}, l1 / 2},
          {{"L2", l2 * all, 0}, l2 / 2},
          {{"L3", std::max(l3, l2 * all), 0}, in_l3},
          {{"DRAM", std::numeric_limits<size_t>::max(), 0}, in_dram}};
}

/// The best of pieces that the clock can tell and that nobody is likely to interrupt.
double read_rate(const ReadStream& stream, const Buffer& memory) {
  constexpr size_t kPiece = size_t{1} << 20;
  const size_t piece = std::min(kPiece, memory.size());
  const size_t passes = kPiece / piece;  // of a region smaller than a piece
  uint64_t words = 0;
  double best = 0;
  size_t at = 0;
  for (const auto start = Clock::now(); best == 0 || seconds_since(start) < kTrySeconds;) {
    const auto begin = Clock::now();
    for (size_t i = 0; i < passes; ++i) words ^= stream.read(memory.data() + at, piece);
    best = std::max(best, static_cast<double>(passes * piece) / seconds_since(begin));
    at = at + 2 * piece <= memory.size() ? at + piece : 0;
  }
  return words == 1 ? 0 : best;  // memory is zero: the sum is looked at, so that it is made
}

double bandwidth(const Region& region, const RunOptions& options) {
  const ReadStream& stream = kernels::select(read_streams(), options.isa);
  const size_t bytes = region.bytes / 512 * 512;
  std::vector<Buffer> memory;
  for (int t = 0; t < options.threads; ++t) {
    memory.emplace_back(bytes);
    std::fill_n(memory.back().data(), bytes, std::byte{0});
  }
  double best = 0;
  for (int i = 0; i < kTries; ++i)
    best = std::max(best, together(options.threads, [&](int t) {
                      return read_rate(stream, memory[static_cast<size_t>(t)]);
                    }));
  return best;
}

}  // namespace

double MachineLimits::gbs_of(const LayerWork& work) const {
  for (const Level& level : levels)
    if (work.bytes() <= static_cast<double>(level.bytes)) return level.gbs;
  return levels.empty() ? 0 : levels.back().gbs;
}

MachineLimits measure_limits(const RunOptions& options) {
  MachineLimits limits;
  limits.int8_gops = compute_rate(true, options) * 1e-9;
  limits.float_gops = compute_rate(false, options) * 1e-9;
  for (Region& region : regions(options.threads)) {
    region.level.gbs = bandwidth(region, options) * 1e-9;
    limits.levels.push_back(region.level);
  }
  return limits;
}

double share_of(const MachineLimits& limits, const LayerWork& work, double seconds) {
  if (seconds <= 0) return 0;
  const double gops = limits.gops_of(work), gbs = limits.gbs_of(work);
  return std::max(gops > 0 ? 2 * work.macs / seconds * 1e-9 / gops : 0,
                  gbs > 0 ? work.bytes() / seconds * 1e-9 / gbs : 0);
}

}  // namespace nibble::pipeline
