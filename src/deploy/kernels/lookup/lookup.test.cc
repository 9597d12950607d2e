#include "deploy/kernels/lookup/lookup.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/kernels/requantise/code_map_testing.h"
#include "deploy/kernels/simd/output_s8_reference.h"

namespace nibble::kernels {
namespace {

enum class Codes { kRandom, kLowest, kHighest, kEnds };

struct Case {
  int64_t m = 1, n = 1, taps = 1, channels = 1;
  int bits = 1;
  int32_t a_min = -128, a_max = 127;
  Codes codes = Codes::kRandom;
  int threads = 1;
  bool residual = false, fixed = false, binary = false;
  int32_t sum_shift = 0;

  int64_t k() const { return taps * channels; }
};

std::ostream& operator<<(std::ostream& out, const Case& t) {
  return out << "m " << t.m << " n " << t.n << " taps " << t.taps << " channels " << t.channels
             << " W" << t.bits << " a " << t.a_min << ".." << t.a_max << " codes "
             << static_cast<int>(t.codes) << " threads " << t.threads << " residual " << t.residual
             << " fixed " << t.fixed << " binary " << t.binary << " shift " << t.sum_shift;
}

template <class T>
std::vector<T> drawn(int64_t count, std::mt19937& rng, int32_t low, int32_t high) {
  std::vector<T> v(static_cast<size_t>(count));
  for (T& x : v)
    x = static_cast<T>(low + static_cast<int32_t>(rng() % static_cast<uint32_t>(high - low + 1)));
  return v;
}

template <class T>
std::vector<T> codes_of(const Case& t, int64_t count, std::mt19937& rng, int32_t low,
                        int32_t high) {
  switch (t.codes) {
    case Codes::kRandom:
      break;
    case Codes::kLowest:
      return std::vector<T>(static_cast<size_t>(count), static_cast<T>(low));
    case Codes::kHighest:
      return std::vector<T>(static_cast<size_t>(count), static_cast<T>(high));
    case Codes::kEnds:
      std::vector<T> v(static_cast<size_t>(count));
      for (T& x : v) x = static_cast<T>(rng() % 2 ? low : high);
      return v;
  }
  return drawn<T>(count, rng, low, high);
}

/// Taps are segments of a row that lie m pixels apart. The bias brings the sum of one row in each
/// channel to where a code shows every unit of it or every fourth.
void expect_definition(const Case& t, uint32_t seed) {
  std::mt19937 rng(seed);
  const int64_t k = t.k(), padded = (t.n + 31) / 32 * 32, stride = t.n + 3;
  const auto a = codes_of<int8_t>(t, t.taps * t.m * t.channels, rng, t.a_min, t.a_max);
  auto u = codes_of<uint8_t>(t, t.n * k, rng, 0, (1 << t.bits) - 1);
  if (t.codes == Codes::kLowest) u.assign(u.size(), static_cast<uint8_t>((1 << t.bits) - 1));
  auto bias = drawn<int32_t>(padded, rng, -200, 200);
  const auto w_zero = drawn<int32_t>(padded, rng, 0, 3);
  std::vector<float> multiplier(bias.size(), 1);
  std::vector<int32_t> m0(bias.size(), 1 << 30), shift(bias.size(), 30);
  for (size_t j = 0; j < bias.size(); j += 2) multiplier[j] = 0.25f, shift[j] = 32;  // ties
  const auto residual = drawn<int8_t>(t.m * stride, rng, -128, 127);

  Lookup p;
  p.planes = t.bits, p.n = t.n, p.k_padded = lookup_k_padded(k);
  p.a_min = t.a_min, p.a_max = t.a_max;
  p.output.bias = bias.data(), p.output.w_zero = w_zero.data();
  if (t.fixed)
    p.output.m0 = m0.data(), p.output.shift = shift.data();
  else
    p.output.multiplier = multiplier.data();
  p.output.binary = t.binary;
  p.output.sum_shift = t.sum_shift;
  p.output.residual = {.m_y = 0.5f, .m_r = 0.25f, .r_zero = 3};

  std::vector<int32_t> row_sums(static_cast<size_t>(t.m)), sums(static_cast<size_t>(t.m * t.n));
  for (int64_t i = 0; i < t.m; ++i) {
    const auto code = [&](int64_t at) {
      return a[static_cast<size_t>((at / t.channels * t.m + i) * t.channels + at % t.channels)];
    };
    for (int64_t at = 0; at < k; ++at) row_sums[i] += code(at);
    for (int64_t j = 0; j < t.n; ++j)
      for (int64_t at = 0; at < k; ++at) sums[i * t.n + j] += u[j * k + at] * code(at);
  }
  for (int64_t j = 0; j < t.n; ++j) {
    const int64_t i = j % t.m;
    bias[j] -= (sums[i * t.n + j] << t.sum_shift) - w_zero[j] * row_sums[i];
  }
  std::vector<int8_t> want(static_cast<size_t>(t.m * stride), 77);
  for (int64_t i = 0; i < t.m; ++i)
    for (int64_t j = 0; j < t.n; ++j) {
      int8_t& y = want[i * stride + j];
      y = portable::output_s8(p.output, j, sums[i * t.n + j], row_sums[i]);
      if (t.residual) y = portable::add_residual_s8(p.output, y, residual[i * stride + j]);
    }

  Buffer weights(static_cast<size_t>(lookup_bytes(t.bits, t.n, k)));
  auto* w = reinterpret_cast<uint8_t*>(weights.data());
  pack_lookup(u.data(), t.bits, t.n, k, w);
  p.w = w;
  RowPlan plan = RowPlan::matrix(t.m, t.channels, t.channels);
  plan.segment.clear();
  for (int64_t i = 0; i < t.taps; ++i) plan.segment.push_back(i * t.m * t.channels);
  ThreadPool pool(t.threads);
  Buffer workspace(lookup_workspace(p, plan, t.threads));
  for (const LookupVariant& variant : lookup_variants()) {
    if (!cpu_runs(variant.isa)) continue;
    std::vector<int8_t> got(want.size(), 77);
    testing::CheckedCopy copy(variant.isa, got.size());
    lookup(variant, p, plan,
           {.a = a.data(),
            .row_sums = row_sums.data(),
            .out = got.data(),
            .residual = t.residual ? residual.data() : nullptr,
            .stride = stride,
            .workspace = workspace.data(),
            .copy = copy.of(got.data())},
           pool);
    copy.expect(got, t.n, stride);
    ASSERT_EQ(got, want) << variant.name << ' ' << t;
  }
}

TEST(Lookup, EveryTailOfRowsAndChannels) {
  for (int64_t m : {1, 2, 3, 7, 8, 9, 17})
    for (int64_t n : {1, 15, 16, 17, 63, 64, 65, 130})
      expect_definition({.m = m, .n = n, .channels = 40, .bits = 2, .residual = m % 2 == 0}, 1);
}

TEST(Lookup, EveryLengthOfK) {
  for (int64_t taps : {1, 2, 9})
    for (int64_t channels : {1, 3, 4, 31, 32, 33, 64, 255, 256, 257, 700})
      for (int32_t a_max : {7, 127})
        expect_definition({.m = 2,
                           .n = 20,
                           .taps = taps,
                           .channels = channels,
                           .bits = 3,
                           .a_min = -a_max - 1,
                           .a_max = a_max},
                          2);
}

TEST(Lookup, EveryWidthAtItsExtremes) {
  constexpr int32_t kRanges[][2] = {{-128, 127}, {-127, 127}, {0, 127}, {0, 16}, {-8, 8},
                                    {-8, 7},     {0, 15},     {-1, 1},  {0, 1}};
  for (int bits = 1; bits <= 8; ++bits)
    for (const auto& [low, high] : kRanges)
      for (Codes codes : {Codes::kRandom, Codes::kLowest, Codes::kHighest, Codes::kEnds})
        expect_definition({.m = 2,
                           .n = 66,
                           .channels = 530,
                           .bits = bits,
                           .a_min = low,
                           .a_max = high,
                           .codes = codes},
                          3);
}

TEST(Lookup, EveryOutputStage) {
  for (bool fixed : {false, true})
    for (bool binary : {false, true})
      for (bool residual : {false, true})
        for (int32_t sum_shift : {0, 1})
          if (!residual || !(fixed || binary))
            expect_definition({.m = 3,
                               .n = 70,
                               .channels = 100,
                               .residual = residual,
                               .fixed = fixed,
                               .binary = binary,
                               .sum_shift = sum_shift},
                              4);
}

TEST(Lookup, ThreadsGiveTheSameBytes) {
  for (int threads : {1, 2, 3})
    for (int64_t m : {1, 2, 100})
      expect_definition(
          {.m = m, .n = 330, .taps = 9, .channels = 128, .threads = threads, .residual = true}, 5);
}

RC_GTEST_PROP(Lookup, EqualsTheDefinition, ()) {
  const auto range = [](int64_t lo, int64_t hi) { return *rc::gen::inRange<int64_t>(lo, hi); };
  Case t;
  t.m = range(1, 20), t.n = range(1, 150), t.taps = range(1, 5), t.channels = range(1, 200);
  t.bits = static_cast<int>(range(1, 9));
  t.a_min = static_cast<int32_t>(-range(0, 129)), t.a_max = static_cast<int32_t>(range(0, 128));
  if (range(0, 2) == 0) t.a_min /= 16, t.a_max /= 17;
  t.codes = static_cast<Codes>(range(0, 4));
  t.threads = static_cast<int>(range(1, 4));
  t.fixed = range(0, 2) == 0, t.binary = range(0, 4) == 0;
  t.residual = !t.fixed && !t.binary && range(0, 2) == 0;
  t.sum_shift = static_cast<int32_t>(range(0, 2));
  expect_definition(t, *rc::gen::arbitrary<uint32_t>());
}

}  // namespace
}  // namespace nibble::kernels
