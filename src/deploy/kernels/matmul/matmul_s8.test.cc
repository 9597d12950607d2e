#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/format/format.h"
#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/requantise/code_map_testing.h"
#include "deploy/numeric/requantise.h"

namespace nibble::kernels {
namespace {

struct Problem {
  int64_t m, n, k;  // k a multiple of 4 * segments
  int64_t segments = 1;
  int bits = 8;
  int32_t a_max = 128;
  std::vector<int8_t> a;
  std::vector<uint8_t> u;             // [n][k]
  std::vector<int32_t> bias, w_zero;  // [n]
  std::vector<double> multiplier;     // [n]
  bool fixed = false, same_zero = false, binary = false;
  int32_t sum_shift = 0;
  int32_t y_zero = 0, y_min = -128, y_max = 127;
  std::vector<int8_t> residual;  // [m][n] or empty
  ResidualS8 add;
};

enum class Codes { kRandom, kZero, kLowest, kHighest, kAlternating };

/// `a_bits`: activations are unsigned codes of so many bits, signed ones at 8.
Problem make_problem(int64_t m, int64_t n, int64_t k, int64_t segments, Codes codes, uint32_t seed,
                     int bits = 8, int a_bits = 8) {
  std::mt19937 rng(seed);
  Problem p;
  p.m = m, p.n = n, p.k = k, p.segments = segments, p.bits = bits;
  p.a_max = a_bits == 8 ? 128 : (1 << a_bits) - 1;
  const int lowest = a_bits == 8 ? -128 : 0, highest = a_bits == 8 ? 127 : p.a_max;
  p.a.resize(static_cast<size_t>(m * k));
  p.u.resize(static_cast<size_t>(n * k));
  for (size_t i = 0; i < p.a.size(); ++i)
    p.a[i] = static_cast<int8_t>(codes == Codes::kRandom
                                     ? lowest + static_cast<int>(rng() % (highest - lowest + 1))
                                 : codes == Codes::kZero    ? 0
                                 : codes == Codes::kLowest  ? lowest
                                 : codes == Codes::kHighest ? highest
                                 : i % 2                    ? highest
                                                            : lowest);
  for (size_t i = 0; i < p.u.size(); ++i)
    p.u[i] = static_cast<uint8_t>((codes == Codes::kRandom        ? rng()
                                   : codes == Codes::kAlternating ? (i % 3 ? 255 : 0)
                                                                  : 255) &
                                  ((1u << bits) - 1));
  for (int64_t i = 0; i < n; ++i) {
    p.bias.push_back(static_cast<int32_t>(rng() % 2001) - 1000);
    p.w_zero.push_back(static_cast<int32_t>(rng() % (1u << bits)));
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
        acc += int64_t{(p.u[j * p.k + t] << p.sum_shift) - p.w_zero[j]} *
               p.a[(t / length * p.m + i) * length + t % length];
      if (p.binary) {
        const int sign = acc >= 0 || p.multiplier[j] == 0 ? 1 : -1;
        y.push_back(static_cast<int8_t>(std::min(std::max(sign, p.y_min), p.y_max)));
        continue;
      }
      int64_t code;
      if (p.fixed) {
        code = numeric::requantise_fixed(acc, numeric::to_fixed(p.multiplier[j])) + p.y_zero;
      } else {
        const float v =
            static_cast<float>(static_cast<int32_t>(acc)) * static_cast<float>(p.multiplier[j]);
        code = static_cast<int64_t>(std::nearbyint(v)) + p.y_zero;
      }
      code = std::min<int64_t>(std::max<int64_t>(code, p.y_min), p.y_max);
      if (!p.residual.empty()) {
        const float first = static_cast<float>(code - p.y_zero) * p.add.m_y;
        const float second = static_cast<float>(p.residual[i * p.n + j] - p.add.r_zero) * p.add.m_r;
        code = static_cast<int64_t>(std::nearbyint(first + second)) + p.add.zero;
        code = std::min<int64_t>(std::max<int64_t>(code, p.add.lo), p.add.hi);
      }
      y.push_back(static_cast<int8_t>(code));
    }
  return y;
}

template <class T>
std::vector<T> padded(std::vector<T> v) {
  v.resize((v.size() + kPanelS8 - 1) / kPanelS8 * kPanelS8);
  return v;
}

std::vector<int8_t> computed(const Problem& p, const MatmulS8Variant& variant, int threads) {
  const auto record = format::make_record(p.bits, true, 1, p.n, 1, 1, p.k);
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
  OutputS8 output;
  output.bias = bias.data(), output.w_zero = w_zero.data(), output.same_zero = p.same_zero;
  if (p.fixed)
    output.m0 = m0.data(), output.shift = shift.data();
  else
    output.multiplier = multiplier.data();
  output.sum_shift = p.sum_shift, output.binary = p.binary, output.residual = p.add;
  output.y_zero = p.y_zero, output.y_min = p.y_min, output.y_max = p.y_max;

  const int64_t length = p.k / p.segments;
  RowPlan plan = RowPlan::matrix(p.m, length, length);
  plan.segment.clear();
  std::vector<int32_t> row_sums(static_cast<size_t>(p.m)), part(row_sums);
  for (int64_t s = 0; s < p.segments; ++s) {
    plan.segment.push_back(s * p.m * length);
    variant.core->sums(p.a.data() + s * p.m * length, p.m, length, part.data());
    for (size_t i = 0; i < part.size(); ++i) row_sums[i] += part[i];
  }
  const int64_t stride = p.n + 5;
  std::vector<int8_t> y(static_cast<size_t>(p.m * stride), 77);
  std::vector<int8_t> residual;
  for (int64_t i = 0; i < p.m && !p.residual.empty(); ++i) {
    residual.insert(residual.end(), p.residual.begin() + i * p.n,
                    p.residual.begin() + (i + 1) * p.n);
    residual.resize(static_cast<size_t>((i + 1) * stride));
  }
  ThreadPool pool(threads);
  const MatmulS8 problem{.b = b.data(),
                         .bits = p.bits,
                         .n = p.n,
                         .n_padded = format::padded_n(record),
                         .k_padded = format::padded_k(record),
                         .a_max = p.a_max,
                         .output = output};
  Buffer workspace(matmul_s8_workspace(variant, problem, plan, threads));
  const bool sums = needs_row_sums(variant, problem, p.m);
  testing::CheckedCopy copy(variant.isa, y.size());
  matmul_s8(variant, problem, plan,
            {.a = p.a.data(),
             .row_sums = sums ? row_sums.data() : nullptr,
             .out = y.data(),
             .stride = stride,
             .residual = residual.empty() ? nullptr : residual.data(),
             .workspace = workspace.data(),
             .copy = copy.of(y.data())},
            pool);
  copy.expect(y, p.n, stride);
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
          << variant.name << " bits " << problem.bits << " a_max " << problem.a_max << " m "
          << problem.m << " n " << problem.n << " k " << problem.k << " segments "
          << problem.segments << " fixed " << problem.fixed << " threads " << threads;
  }
}

/// Both variants of requantisation, with the zero points as they are and with one for all channels.
void expect_both_variants(Problem problem) {
  for (bool same_zero : {false, true}) {
    problem.same_zero = same_zero;
    if (same_zero) std::fill(problem.w_zero.begin(), problem.w_zero.end(), 1 << (problem.bits - 1));
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
  EXPECT_EQ(computed(p, matmul_s8_variants().front(), 1), (std::vector<int8_t>{0, 2, 0}));
  p.fixed = true;
  EXPECT_EQ(computed(p, matmul_s8_variants().front(), 1), (std::vector<int8_t>{1, 2, 0}));
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
  // The longest blocks, with a segment that begins in the last step.
  for (const auto& [segments, length] : {std::pair{16, 48}, {21, 36}, {27, 28}, {64, 12}})
    expect_same_bytes(make_problem(14, 70, segments * length, segments, Codes::kRandom, 7));
}

TEST(MatmulS8, ManyBlocks) {
  for (int bits : {8, 4, 3})
    expect_same_bytes(make_problem(403, 130, 1200, 3, Codes::kRandom, 8, bits));
}

TEST(MatmulS8, EveryWidthOfWeightsAndActivations) {
  for (int bits = 1; bits <= 8; ++bits)
    for (int a_bits : {1, 2, 3, 4, 7, 8})
      for (Codes codes : {Codes::kRandom, Codes::kHighest, Codes::kAlternating})
        for (int64_t m : {1, 2, 7})
          for (int64_t k : {4, 132, 1024})
            expect_same_bytes(make_problem(m, 70, k, 1, codes, 9, bits, a_bits));
}

TEST(MatmulS8, BlocksOfKAddUpInEveryWidth) {
  for (int bits = 1; bits <= 8; ++bits)
    for (int64_t n : {16, 33, 100})
      for (int64_t k : {772, 1028, 4096})
        expect_both_variants(make_problem(5, n, k, 1, Codes::kRandom, 10, bits));
}

TEST(MatmulS8, WeightsOfPlusAndMinusOne) {
  for (int64_t m : {1, 9}) {
    Problem p = make_problem(m, 50, 300, 1, Codes::kRandom, 11, 1);
    p.sum_shift = 1;
    p.same_zero = true;
    std::fill(p.w_zero.begin(), p.w_zero.end(), 1);
    for (bool fixed : {false, true}) {
      p.fixed = fixed;
      expect_same_bytes(p);
    }
  }
}

TEST(MatmulS8, BinaryResultsAreSigns) {
  for (int64_t m : {1, 9}) {
    Problem p = make_problem(m, 50, 64, 1, Codes::kZero, 12);
    p.binary = true;
    for (size_t i = 0; i < p.bias.size(); ++i) {
      p.bias[i] = static_cast<int32_t>(i % 3) - 1;
      p.multiplier[i] = i % 4 ? 0x1p-20 : 0;
    }
    expect_both_variants(p);
    Problem random = make_problem(m, 50, 64, 1, Codes::kRandom, 13);
    random.binary = true;
    expect_both_variants(random);
    random.y_min = 1;
    expect_both_variants(random);
  }
}

TEST(MatmulS8, ResidualsAreAddedToTheCodes) {
  for (int64_t m : {1, 2, 13})
    for (int64_t n : {5, 16, 64, 70}) {
      Problem p = make_problem(m, n, 1100, 1, Codes::kRandom, 14);
      std::mt19937 rng(15);
      for (int64_t i = 0; i < m * n; ++i) p.residual.push_back(static_cast<int8_t>(rng()));
      p.y_zero = -20;
      p.add = {.m_y = 0.5f, .m_r = 0.25f, .r_zero = 3, .zero = -128, .lo = -128, .hi = 100};
      for (bool same_zero : {false, true}) {
        p.same_zero = same_zero;
        if (same_zero) std::fill(p.w_zero.begin(), p.w_zero.end(), 128);
        expect_same_bytes(p);
      }
    }
}

RC_GTEST_PROP(MatmulS8, EqualsThePlainLoop, ()) {
  const int64_t segments = *rc::gen::inRange<int64_t>(1, 6);
  Problem p = make_problem(*rc::gen::inRange<int64_t>(1, 60), *rc::gen::inRange<int64_t>(1, 140),
                           segments * 4 * *rc::gen::inRange<int64_t>(1, 80), segments,
                           *rc::gen::element(Codes::kRandom, Codes::kAlternating, Codes::kLowest),
                           *rc::gen::arbitrary<uint32_t>(), *rc::gen::inRange(1, 9),
                           *rc::gen::inRange(1, 9));
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
      variant.core->sums(a.data(), rows, k, got.data());
      EXPECT_EQ(got, want) << variant.name << " k " << k;
    }
  }
}

}  // namespace
}  // namespace nibble::kernels
