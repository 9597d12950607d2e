#include "deploy/kernels/choice/measure.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "deploy/base/tensor.h"
#include "deploy/kernels/bitserial/bitserial.h"
#include "deploy/kernels/lookup/lookup.h"
#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/winograd/winograd_s8.h"

namespace nibble::kernels {
namespace {

constexpr int kRuns = 5;
constexpr int kMostBitProducts = 16;  // pairs of planes: beyond, counting bits cannot win
constexpr int kMostPlanes = 4;        // looking up one after the other cannot win beyond
constexpr int kNarrowTables = 4;      // narrower activations take as long
constexpr int kActivationBits[] = {1, 2, 4, 8};
constexpr int64_t kRows[] = {1, 8, 128};

struct Case {
  int w_bits, a_bits;
  int64_t rows;
};

/// Multiplications a second of f, which makes `macs` of them; the best of several runs, in GOP/s.
template <class F>
double rate(int64_t macs, double seconds, F f) {
  using Clock = std::chrono::steady_clock;
  const auto time = [&](int64_t repeats) {
    const auto start = Clock::now();
    for (int64_t i = 0; i < repeats; ++i) f();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  int64_t repeats = 1;
  while (time(repeats) < seconds) repeats *= 2;
  double best = time(repeats);
  for (int i = 1; i < kRuns; ++i) best = std::min(best, time(repeats));
  return 2e-9 * static_cast<double>(macs * repeats) / best;
}

/// Operands of all cases: arbitrary codes in range, constants of the output stage.
class Bench {
 public:
  explicit Bench(const MeasuredProduct& product)
      : n_(product.channels),
        k_(product.k),
        pool_(1),
        weights_(static_cast<size_t>(n_ * k_)),
        words_(static_cast<size_t>(bitserial_words(8, n_, 1, k_)) * 8),
        planes_(static_cast<size_t>(kRows[2] * k_)),
        zeros_(n_),
        row_sums_(static_cast<size_t>(kRows[2])),
        multiplier_(n_, 1e-4f),
        a_(static_cast<size_t>(kRows[2] * k_)),
        out_(static_cast<size_t>(kRows[2] * n_)) {
    uint32_t state = 1;
    const auto fill = [&](auto* begin, size_t count) {
      for (size_t i = 0; i < count; ++i) {
        state = state * 1664525u + 1013904223u;
        begin[i] = static_cast<std::remove_reference_t<decltype(*begin)>>(state >> 24);
      }
    };
    fill(reinterpret_cast<uint8_t*>(weights_.data()), weights_.size());
    fill(reinterpret_cast<uint8_t*>(words_.data()), words_.size());
    fill(reinterpret_cast<uint8_t*>(planes_.data()), planes_.size());
    fill(a_.data(), a_.size());
    output_.bias = output_.w_zero = zeros_.data();
    output_.same_zero = true;
    output_.multiplier = multiplier_.data();
  }

  double matmul(const MatmulS8Variant& variant, const Case& c, double seconds) {
    MatmulS8 p;
    p.b = weights_.data();
    p.bits = c.w_bits;
    p.n = p.n_padded = n_;
    p.k_padded = k_;
    p.a_max = c.a_bits == 8 ? 128 : (1 << c.a_bits) - 1;
    p.output = output_;
    const RowPlan plan = RowPlan::matrix(c.rows, k_, k_);
    Buffer workspace(matmul_s8_workspace(variant, p, plan, 1));
    const MatmulS8Data data{.a = a_.data(),
                            .row_sums = row_sums_.data(),
                            .out = out_.data(),
                            .stride = n_,
                            .workspace = workspace.data()};
    return rate(c.rows * n_ * k_, seconds, [&] { matmul_s8(variant, p, plan, data, pool_); });
  }

  double bits(const BitSerialVariant& variant, const Case& c, double seconds) {
    BitSerial p;
    p.w = reinterpret_cast<const uint64_t*>(words_.data());
    p.w_planes = c.w_bits, p.a_planes = c.a_bits;
    p.n = n_;
    p.a_plane = c.rows * k_ / 64;
    p.output = output_;
    const RowPlan plan = RowPlan::matrix(c.rows, k_ / 64, k_ / 64);
    auto* planes = reinterpret_cast<uint64_t*>(planes_.data());
    return rate(c.rows * n_ * k_, seconds, [&] {
      variant.planes(a_.data(), c.rows, k_, c.a_bits, p.a_plane, planes);
      bitserial(variant, p, plan, planes, row_sums_.data(), out_.data(), nullptr, n_, pool_);
    });
  }

  double tables(const LookupVariant& variant, const Case& c, double seconds) {
    Lookup p;
    p.w = reinterpret_cast<const uint8_t*>(weights_.data());
    p.planes = c.w_bits;
    p.n = n_;
    p.k_padded = k_;
    if (c.a_bits < 8) p.a_min = 0, p.a_max = (1 << c.a_bits) - 1;
    p.output = output_;
    const RowPlan plan = RowPlan::matrix(c.rows, k_, k_);
    Buffer workspace(lookup_workspace(p, plan, 1));
    const LookupData data{.a = a_.data(),
                          .row_sums = row_sums_.data(),
                          .out = out_.data(),
                          .stride = n_,
                          .workspace = workspace.data()};
    return rate(c.rows * n_ * k_, seconds, [&] { lookup(variant, p, plan, data, pool_); });
  }

  /// A convolution of about k_ / 9 channels over an image of that many rows.
  double winograd(const WinogradS8Variant& variant, const Case& c, double seconds) {
    const Windows w = image(c.rows);
    WinogradS8 p;
    p.channels = w.channels;
    p.n = n_;
    p.output = output_;
    Buffer u(static_cast<size_t>(winograd_s8_weights(n_, w.channels)) * 2);
    std::memset(u.data(), 1, u.size());
    p.u = reinterpret_cast<const int16_t*>(u.data());
    Buffer workspace(winograd_s8_workspace(p, w, 1));
    return rate(c.rows * n_ * 9 * w.channels, seconds, [&] {
      winograd_s8(variant, p, w, a_.data(), 0, nullptr, out_.data(), workspace.data(), pool_);
    });
  }

  Windows image(int64_t rows) const {
    Windows w;
    w.channels = std::max(k_ / 9 / kWinogradChannels, int64_t{1}) * kWinogradChannels;
    w.kernel = {1, 3, 3};
    w.pad = {0, 1, 1};
    w.in[2] = rows >= 16 ? 16 : rows;
    w.in[1] = rows / w.in[2];
    w.out = w.in;
    return w;
  }

 private:
  int64_t n_, k_;
  ThreadPool pool_;
  Buffer weights_, words_, planes_;
  std::vector<int32_t> zeros_, row_sums_;
  std::vector<float> multiplier_;
  std::vector<int8_t> a_, out_;
  OutputS8 output_;
};

}  // namespace

std::vector<KernelTable::Entry> measure_products(Isa ceiling, double seconds,
                                                 const std::function<void(double)>& done,
                                                 std::span<const MeasuredProduct> products) {
  std::vector<Case> cases;
  for (int w = 1; w <= 8; ++w)
    for (int a : kActivationBits)
      for (int64_t rows : kRows) cases.push_back({w, a, rows});
  std::vector<const MatmulS8Variant*> matmuls;
  for (const MatmulS8Variant& v : matmul_s8_variants())
    if (allowed(v.isa, ceiling)) matmuls.push_back(&v);
  std::vector<const BitSerialVariant*> counters;
  for (const BitSerialVariant& v : bitserial_variants())
    if (allowed(v.isa, ceiling) && v.runs()) counters.push_back(&v);
  std::vector<const LookupVariant*> lookups;
  for (const LookupVariant& v : lookup_variants())
    if (allowed(v.isa, ceiling)) lookups.push_back(&v);
  std::vector<const WinogradS8Variant*> filters;
  for (const WinogradS8Variant& v : winograd_s8_variants())
    if (allowed(v.isa, ceiling)) filters.push_back(&v);

  std::vector<KernelTable::Entry> entries;
  const auto all = static_cast<double>(
      products.size() * (matmuls.size() + counters.size() + lookups.size() + filters.size()));
  double finished = 0;
  for (const MeasuredProduct& product : products) {
    Bench bench(product);
    const auto add = [&](std::string_view kernel, const Case& c, double gops, int64_t k) {
      entries.push_back({std::string(kernel), c.w_bits, c.a_bits, c.rows, k, gops});
    };
    const auto count = [&](size_t kernels) {
      if (done) done(finished += static_cast<double>(kernels) / all);
    };
    for (const MatmulS8Variant* v : matmuls) {
      for (const Case& c : cases) add(v->name, c, bench.matmul(*v, c, seconds), product.k);
      count(1);
    }
    for (const BitSerialVariant* v : counters) {
      for (const Case& c : cases)
        if (c.w_bits * c.a_bits <= kMostBitProducts)
          add(v->name, c, bench.bits(*v, c, seconds), product.k);
      count(1);
    }
    for (const LookupVariant* v : lookups) {
      for (const Case& c : cases)
        if (c.w_bits <= kMostPlanes && c.a_bits >= kNarrowTables)
          add(v->name, c, bench.tables(*v, c, seconds), product.k);
      count(1);
    }
    for (const WinogradS8Variant* v : filters) {
      for (const Case& c : cases)
        if (c.a_bits == 8)
          add(v->name, c, bench.winograd(*v, c, seconds), 9 * bench.image(c.rows).channels);
      count(1);
    }
  }
  return entries;
}

std::string to_text(const std::vector<KernelTable::Entry>& entries) {
  std::string text = "# kernel weight-bits activation-bits rows k GOP/s\n";
  for (const KernelTable::Entry& e : entries) {
    char line[128];
    std::snprintf(line, sizeof line, "%s %d %d %lld %lld %.4g\n", e.kernel.c_str(), e.w_bits,
                  e.a_bits, static_cast<long long>(e.rows), static_cast<long long>(e.k), e.gops);
    text += line;
  }
  return text;
}

}  // namespace nibble::kernels
