#include "deploy/kernels/bitserial/bitserial.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/kernels/requantise/code_map_testing.h"
#include "deploy/kernels/simd/output_s8_reference.h"

namespace nibble::kernels {
namespace {

struct Problem {
  int64_t m, n, taps, channels;
  int w_bits, a_planes;
  bool a_signed;
  std::vector<int8_t> a;   // [m][taps][channels]
  std::vector<uint8_t> u;  // [n][taps][channels]
};

enum class Codes { kRandom, kZero, kHighest, kLowest };

Problem make_problem(int64_t m, int64_t n, int64_t taps, int64_t channels, int w_bits, int a_planes,
                     bool a_signed, Codes codes, uint32_t seed) {
  Problem p{m, n, taps, channels, w_bits, a_planes, a_signed, {}, {}};
  std::mt19937 rng(seed);
  const int lowest = a_signed ? -(1 << (a_planes - 1)) : 0;
  const int highest = lowest + (1 << a_planes) - 1;
  for (int64_t i = 0; i < m * taps * channels; ++i)
    p.a.push_back(static_cast<int8_t>(codes == Codes::kRandom
                                          ? lowest + static_cast<int>(rng() % (1u << a_planes))
                                      : codes == Codes::kZero    ? 0
                                      : codes == Codes::kHighest ? highest
                                                                 : lowest));
  for (int64_t i = 0; i < n * taps * channels; ++i)
    p.u.push_back(
        static_cast<uint8_t>((codes == Codes::kRandom ? rng() : 255u) & ((1u << w_bits) - 1)));
  return p;
}

template <class T>
std::vector<T> per_channel(int64_t n, std::mt19937& rng, int low, unsigned range) {
  std::vector<T> v(static_cast<size_t>((n + 31) / 32 * 32));
  for (T& x : v) x = static_cast<T>(low + static_cast<int>(rng() % range));
  return v;
}

void expect_same_bytes(const Problem& p, int threads, bool with_residual) {
  std::mt19937 rng(99);
  const auto bias = per_channel<int32_t>(p.n, rng, -500, 1000);
  const auto w_zero = per_channel<int32_t>(p.n, rng, 0, 3);
  std::vector<float> multiplier(bias.size(), 0.01f);
  BitSerial problem;
  problem.w_planes = p.w_bits, problem.a_planes = p.a_planes, problem.a_signed = p.a_signed;
  problem.n = p.n;
  problem.output.bias = bias.data(), problem.output.w_zero = w_zero.data();
  problem.output.multiplier = multiplier.data();
  problem.output.residual = {.m_y = 0.5f, .m_r = 0.25f, .r_zero = 3};
  const int64_t k = p.taps * p.channels, stride = p.n + 3;
  std::vector<int8_t> residual(static_cast<size_t>(p.m * stride));
  for (int8_t& r : residual) r = static_cast<int8_t>(rng());
  std::vector<int32_t> row_sums(static_cast<size_t>(p.m));
  std::vector<int8_t> want(static_cast<size_t>(p.m * stride), 77);
  for (int64_t i = 0; i < p.m; ++i) {
    for (int64_t t = 0; t < k; ++t) row_sums[i] += p.a[i * k + t];
    for (int64_t j = 0; j < p.n; ++j) {
      int32_t sum = 0;
      for (int64_t t = 0; t < k; ++t) sum += p.u[j * k + t] * p.a[i * k + t];
      int8_t& y = want[i * stride + j];
      y = portable::output_s8(problem.output, j, sum, row_sums[i]);
      if (with_residual) y = portable::add_residual_s8(problem.output, y, residual[i * stride + j]);
    }
  }

  Buffer words(static_cast<size_t>(bitserial_words(p.w_bits, p.n, p.taps, p.channels)) * 8);
  auto* w = reinterpret_cast<uint64_t*>(words.data());
  pack_bitserial(p.u.data(), p.w_bits, p.n, p.taps, p.channels, w);
  problem.w = w;
  const int64_t pixel = (p.channels + 63) / 64;
  problem.a_plane = p.m * p.taps * pixel;
  RowPlan plan = RowPlan::matrix(p.m, pixel, p.taps * pixel);  // a tap a segment
  plan.segment.clear();
  for (int64_t t = 0; t < p.taps; ++t) plan.segment.push_back(t * pixel);
  ThreadPool pool(threads);
  for (const BitSerialVariant& variant : bitserial_variants()) {
    if (!cpu_runs(variant.isa) || !variant.runs()) continue;
    std::vector<uint64_t> planes(static_cast<size_t>(p.a_planes * problem.a_plane), ~uint64_t{0});
    variant.planes(p.a.data(), p.m * p.taps, p.channels, p.a_planes, problem.a_plane,
                   planes.data());
    std::vector<int8_t> got(want.size(), 77);
    testing::CheckedCopy copy(variant.isa, got.size());
    bitserial(variant, problem, plan, planes.data(), row_sums.data(), got.data(),
              with_residual ? residual.data() : nullptr, stride, pool, copy.of(got.data()));
    copy.expect(got, p.n, stride);
    ASSERT_EQ(got, want) << variant.name << " m " << p.m << " n " << p.n << " taps " << p.taps
                         << " channels " << p.channels << " W" << p.w_bits << " A" << p.a_planes
                         << (p.a_signed ? " signed" : "") << " threads " << threads;
  }
}

TEST(BitSerial, EveryTailOfRowsAndChannels) {
  for (int64_t m : {1, 2, 3, 7, 8, 9, 17})
    for (int64_t n : {1, 15, 16, 17, 33, 64, 70})
      expect_same_bytes(make_problem(m, n, 1, 64, 1, 1, false, Codes::kRandom, 1), 1, m % 2);
}

TEST(BitSerial, EveryLengthOfK) {
  for (int64_t taps : {1, 2, 9})
    for (int64_t channels : {1, 3, 31, 63, 64, 65, 128, 200, 2100})
      expect_same_bytes(make_problem(3, 20, taps, channels, 1, 1, false, Codes::kRandom, 2), 1,
                        false);
}

TEST(BitSerial, EveryWidth) {
  for (int w = 1; w <= 8; ++w)
    for (int a : {1, 2, 3, 4, 8})
      for (bool is_signed : {false, true})
        for (Codes codes : {Codes::kRandom, Codes::kZero, Codes::kHighest, Codes::kLowest})
          if (is_signed || a < 8)
            expect_same_bytes(make_problem(5, 18, 3, 70, w, a, is_signed, codes, 3), 1, false);
}

TEST(BitSerial, ThreadsGiveTheSameBytes) {
  for (int threads : {1, 2, 3})
    expect_same_bytes(make_problem(300, 130, 9, 128, 1, 1, false, Codes::kRandom, 4), threads,
                      true);
}

}  // namespace
}  // namespace nibble::kernels
