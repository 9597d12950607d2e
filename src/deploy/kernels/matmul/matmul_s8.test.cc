#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/format/format.h"
#include "deploy/kernels/matmul/matmul.h"
#include "deploy/numeric/requantise.h"

namespace nibble::kernels {
namespace {

struct Problem {
  int64_t m, n, k;  // k a multiple of 4 * segments
  int64_t segments = 1;
  std::vector<int8_t> a;
  std::vector<uint8_t> u;             // [n][k]
  std::vector<int32_t> bias, w_zero;  // [n]
  std::vector<double> multiplier;     // [n]
  bool fixed = false, same_zero = false;
  int32_t y_zero = 0, y_min = -128, y_max = 127;
};

enum class Codes { kRandom, kZero, kLowest, kHighest, kAlternating };

Problem make_problem(int64_t m, int64_t n, int64_t k, int64_t segments, Codes codes,
                     uint32_t seed) {
  std::mt19937 rng(seed);
  Problem p{m, n, k, segments, {}, {}, {}, {}, {}};
  p.a.resize(static_cast<size_t>(m * k));
  p.u.resize(static_cast<size_t>(n * k));
  for (size_t i = 0; i < p.a.size(); ++i)
    p.a[i] = static_cast<int8_t>(codes == Codes::kRandom    ? rng()
                                 : codes == Codes::kZero    ? 0
                                 : codes == Codes::kLowest  ? -128
                                 : codes == Codes::kHighest ? 127
                                 : i % 2                    ? 127
                                                            : -128);
  for (size_t i = 0; i < p.u.size(); ++i)
    p.u[i] = static_cast<uint8_t>(codes == Codes::kRandom        ? rng()
                                  : codes == Codes::kAlternating ? (i % 3 ? 255 : 0)
                                                                 : 255);
  for (int64_t i = 0; i < n; ++i) {
    p.bias.push_back(static_cast<int32_t>(rng() % 2001) - 1000);
    p.w_zero.push_back(static_cast<int32_t>(rng() % 256));
    // Powers of two make ties frequent.
    p.multiplier.push_back(i % 3 ? std::ldexp(1.0, -static_cast<int>(rng() % 16))
                                 : static_cast<double>(rng() % 1000 + 1) * 1e-6);
  }
  return p;
}

/// The definition, one element at a time, in int64.
std::vector<int8_t> plain(const Problem& p) {
  std::vector<int8_t> y;
  const int64_t length = p.k / p.segments;
  for (int64_t i = 0; i < p.m; ++i)
    for (int64_t j = 0; j < p.n; ++j) {
      int64_t acc = p.bias[j];
      for (int64_t t = 0; t < p.k; ++t)
        acc += int64_t{p.u[j * p.k + t] - p.w_zero[j]} *
               p.a[(t / length * p.m + i) * length + t % length];
      int64_t code;
      if (p.fixed) {
        code = numeric::requantise_fixed(acc, numeric::to_fixed(p.multiplier[j])) + p.y_zero;
      } else {
        const float v =
            static_cast<float>(static_cast<int32_t>(acc)) * static_cast<float>(p.multiplier[j]);
        code = static_cast<int64_t>(std::nearbyint(v)) + p.y_zero;
      }
      y.push_back(
          static_cast<int8_t>(std::min<int64_t>(std::max<int64_t>(code, p.y_min), p.y_max)));
    }
  return y;
}

template <class T>
std::vector<T> padded(std::vector<T> v) {
  v.resize((v.size() + kPanelS8 - 1) / kPanelS8 * kPanelS8);
  return v;
}

std::vector<int8_t> computed(const Problem& p, const MatmulS8Variant& variant, int threads) {
  const auto record = format::make_record(8, true, 1, p.n, 1, 1, p.k);
  Buffer b(format::packed_bytes(record));
  format::pack(record, p.u, {b.data(), b.size()});
  const auto bias = padded(p.bias), w_zero = padded(p.w_zero);
  std::vector<float> multiplier;
  std::vector<int32_t> m0, shift;
  for (double m : p.multiplier) {
    multiplier.push_back(static_cast<float>(m));
    m0.push_back(numeric::to_fixed(m).m0);
    shift.push_back(31 - numeric::to_fixed(m).exponent);
  }
  multiplier = padded(multiplier), m0 = padded(m0), shift = padded(shift);
  OutputS8 output{.bias = bias.data(), .w_zero = w_zero.data(), .same_zero = p.same_zero};
  if (p.fixed)
    output.m0 = m0.data(), output.shift = shift.data();
  else
    output.multiplier = multiplier.data();
  output.y_zero = p.y_zero, output.y_min = p.y_min, output.y_max = p.y_max;

  const int64_t length = p.k / p.segments;
  RowPlan plan = RowPlan::matrix(p.m, length, length);
  plan.segment.clear();
  std::vector<int32_t> row_sums(static_cast<size_t>(p.m)), part(row_sums);
  for (int64_t s = 0; s < p.segments; ++s) {
    plan.segment.push_back(s * p.m * length);
    variant.sums(p.a.data() + s * p.m * length, p.m, length, part.data());
    for (size_t i = 0; i < part.size(); ++i) row_sums[i] += part[i];
  }
  const int64_t stride = p.n + 5;
  std::vector<int8_t> y(static_cast<size_t>(p.m * stride), 77);
  ThreadPool pool(threads);
  matmul_s8(variant,
            {.b = reinterpret_cast<const uint8_t*>(b.data()),
             .n = p.n,
             .k_padded = format::padded_k(record),
             .output = output},
            plan, p.a.data(), row_sums.data(), y.data(), stride, pool);
  std::vector<int8_t> dense;
  for (int64_t i = 0; i < p.m; ++i) {
    dense.insert(dense.end(), y.begin() + i * stride, y.begin() + i * stride + p.n);
    for (int64_t j = p.n; j < stride; ++j) EXPECT_EQ(y[i * stride + j], 77) << "wrote past a row";
  }
  return dense;
}

void expect_same_bytes(const Problem& problem) {
  const std::vector<int8_t> want = plain(problem);
  for (const MatmulS8Variant& variant : matmul_s8_variants()) {
    if (!cpu_runs(variant.isa)) continue;
    for (int threads : {1, 2})
      ASSERT_EQ(computed(problem, variant, threads), want)
          << variant.name << " m " << problem.m << " n " << problem.n << " k " << problem.k
          << " segments " << problem.segments << " fixed " << problem.fixed << " threads "
          << threads;
  }
}

/// Both variants of requantisation, with the zero points as they are and with one for all channels.
void expect_both_variants(Problem problem) {
  for (bool same_zero : {false, true}) {
    problem.same_zero = same_zero;
    if (same_zero) std::fill(problem.w_zero.begin(), problem.w_zero.end(), 128);
    for (bool fixed : {false, true}) {
      problem.fixed = fixed;
      expect_same_bytes(problem);
    }
  }
}

TEST(MatmulS8, EveryTailOfRowsAndChannels) {
  for (int64_t m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 25})
    for (int64_t n : {1, 7, 15, 16, 17, 31, 32, 33, 48, 49, 64, 65, 96, 128, 161})
      expect_both_variants(make_problem(m, n, 20, 1, Codes::kRandom, 1));
}

TEST(MatmulS8, EveryLengthOfK) {
  for (int64_t k : {4, 8, 60, 64, 68, 128, 132, 512, 2048})
    expect_both_variants(make_problem(3, 40, k, 1, Codes::kRandom, 2));
}

TEST(MatmulS8, ExtremeCodesDoNotSaturate) {
  for (Codes codes : {Codes::kZero, Codes::kLowest, Codes::kHighest, Codes::kAlternating})
    for (int64_t k : {4, 64, 4096}) expect_both_variants(make_problem(7, 33, k, 1, codes, 3));
}

TEST(MatmulS8, TiesGoToEvenInVariantFloatAndUpInFixed) {
  Problem p = make_problem(1, 3, 4, 1, Codes::kZero, 4);
  p.bias = {1, 3, -1};
  p.multiplier = {0.5, 0.5, 0.5};
  expect_both_variants(p);
  EXPECT_EQ(plain(p), (std::vector<int8_t>{0, 2, 0}));
  p.fixed = true;
  EXPECT_EQ(plain(p), (std::vector<int8_t>{1, 2, 0}));
}

TEST(MatmulS8, LargestSumsAndMultipliers) {
  Problem p = make_problem(2, 5, 4, 1, Codes::kZero, 5);
  p.bias = {INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN, 0x7fffff7f};
  p.multiplier = {1.0, 1.0, 0x1p-24, 0x1p-25, 0x1.fffffep+6};
  expect_both_variants(p);
  // Wide enough for the 64-channel output: products beyond int32 on both sides, every zero point.
  p = make_problem(3, 70, 4, 1, Codes::kZero, 5);
  for (size_t i = 0; i < p.bias.size(); ++i) {
    p.bias[i] = i % 2 ? INT32_MAX : INT32_MIN;
    p.multiplier[i] = i % 3 ? 0x1p+20 : 0x1p-23;
  }
  for (int32_t zero : {-128, -1, 0, 127}) {
    p.y_zero = zero;
    expect_both_variants(p);
  }
}

TEST(MatmulS8, ClampHoldsTheGridAndTheActivation) {
  Problem p = make_problem(9, 50, 64, 2, Codes::kRandom, 6);
  p.y_zero = -100, p.y_min = -100, p.y_max = 3;
  expect_both_variants(p);
}

TEST(MatmulS8, SegmentsCrossTheStepsOfAPanel) {
  for (int64_t segments : {2, 3, 5, 9, 25})
    for (int64_t length : {4, 12, 36, 64, 100})
      expect_same_bytes(make_problem(14, 70, segments * length, segments, Codes::kRandom, 7));
}

TEST(MatmulS8, ManyBlocks) {
  expect_same_bytes(make_problem(403, 130, 1200, 3, Codes::kRandom, 8));
}

RC_GTEST_PROP(MatmulS8, EqualsThePlainLoop, ()) {
  const int64_t segments = *rc::gen::inRange<int64_t>(1, 6);
  Problem p = make_problem(*rc::gen::inRange<int64_t>(1, 60), *rc::gen::inRange<int64_t>(1, 140),
                           segments * 4 * *rc::gen::inRange<int64_t>(1, 40), segments,
                           *rc::gen::element(Codes::kRandom, Codes::kAlternating, Codes::kLowest),
                           *rc::gen::arbitrary<uint32_t>());
  p.y_zero = *rc::gen::inRange(-128, 128);
  expect_both_variants(p);
}

TEST(SumsS8, AllLengthsAndExtremes) {
  for (int64_t k : {0, 1, 3, 4, 31, 32, 33, 63, 64, 65, 200}) {
    const int64_t rows = 5;
    std::vector<int8_t> a(static_cast<size_t>(rows * k));
    std::vector<int32_t> want(rows);
    for (size_t i = 0; i < a.size(); ++i) {
      a[i] = static_cast<int8_t>(i / static_cast<size_t>(k) == 0 ? -128 : i * 37);
      want[i / static_cast<size_t>(k)] += a[i];
    }
    for (const MatmulS8Variant& variant : matmul_s8_variants()) {
      if (!cpu_runs(variant.isa)) continue;
      std::vector<int32_t> got(rows, 99);
      variant.sums(a.data(), rows, k, got.data());
      EXPECT_EQ(got, want) << variant.name << " k " << k;
    }
  }
}

}  // namespace
}  // namespace nibble::kernels
