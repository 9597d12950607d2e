#include "deploy/kernels/matmul/matmul.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/kernels/matmul/panels_f32.h"

namespace nibble::kernels {
namespace {

struct Case {
  int64_t m, n, k, segments;  // k a multiple of segments
};

struct Problem {
  Case size;
  std::vector<float> a, b, bias;
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();
};

Problem random_problem(const Case& size, uint32_t seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal;
  Problem problem{size, {}, {}, {}};
  problem.a.resize(static_cast<size_t>(size.m * size.k));
  problem.b.resize(static_cast<size_t>(size.k * size.n));
  problem.bias.resize(static_cast<size_t>(size.n));
  for (auto* v : {&problem.a, &problem.b, &problem.bias})
    for (float& x : *v) x = normal(rng);
  return problem;
}

/// The formula of the header, one element at a time. A row's segments lie `m` segments apart.
std::vector<float> plain(const Problem& p) {
  const auto [m, n, k, segments] = p.size;
  const int64_t length = k / segments;
  std::vector<float> y(static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      float acc = p.bias[j];
      for (int64_t t = 0; t < k; ++t)
        acc = std::fma(p.a[(t / length * m + i) * length + t % length], p.b[t * n + j], acc);
      acc = p.lo > acc ? p.lo : acc;
      y[i * n + j] = p.hi < acc ? p.hi : acc;
    }
  }
  return y;
}

std::vector<float> computed(const Problem& p, const MatmulF32Variant& variant, int threads) {
  const auto [m, n, k, segments] = p.size;
  const int64_t length = k / segments;
  Tensor packed(DType::kF32, {packed_f32(n, k)});
  MatrixB b{.data = p.b.data(), .n = n, .channels = k, .channel_stride = n, .n_stride = 1};
  pack_panels_f32(b, 0, panels_f32(n), packed.span<float>().data());
  std::vector<float> bias = p.bias;
  bias.resize(static_cast<size_t>(panels_f32(n) * kPanelF32));
  RowPlan plan = RowPlan::matrix(m, length, length);
  plan.segment.clear();
  for (int64_t s = 0; s < segments; ++s) plan.segment.push_back(s * m * length);
  std::vector<float> y(static_cast<size_t>(m * (n + 3)), -7.0f);  // rows n + 3 apart
  ThreadPool pool(threads);
  Buffer workspace(matmul_f32_workspace(n, plan, threads));
  matmul_f32(
      variant,
      {.b = packed.span<float>().data(), .bias = bias.data(), .n = n, .lo = p.lo, .hi = p.hi}, plan,
      {.a = p.a.data(), .out = y.data(), .stride = n + 3, .workspace = workspace.data()}, pool);
  std::vector<float> dense;
  for (int64_t i = 0; i < m; ++i) {
    dense.insert(dense.end(), y.begin() + i * (n + 3), y.begin() + i * (n + 3) + n);
    for (int64_t j = n; j < n + 3; ++j) EXPECT_EQ(y[i * (n + 3) + j], -7.0f) << "wrote past a row";
  }
  return dense;
}

void expect_same_bytes(const Problem& problem) {
  const std::vector<float> want = plain(problem);
  for (const MatmulF32Variant& variant : matmul_f32_variants()) {
    if (!cpu_runs(variant.isa)) continue;
    for (int threads : {1, 2}) {
      const std::vector<float> got = computed(problem, variant, threads);
      ASSERT_EQ(std::memcmp(got.data(), want.data(), want.size() * sizeof(float)), 0)
          << variant.name << " m " << problem.size.m << " n " << problem.size.n << " k "
          << problem.size.k << " threads " << threads;
    }
  }
}

TEST(MatmulF32, EveryTailOfRowsAndColumns) {
  for (int64_t m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 25})
    for (int64_t n : {1, 7, 8, 15, 16, 17, 31, 32, 33, 48, 65, 128, 150})
      expect_same_bytes(random_problem({m, n, 9, 1}, 1));
}

TEST(MatmulF32, EveryLengthOfK) {
  for (int64_t k : {0, 1, 2, 63, 64, 65, 300}) expect_same_bytes(random_problem({5, 20, k, 1}, 2));
}

TEST(MatmulF32, ManyBlocks) {
  expect_same_bytes(random_problem({401, 70, 260, 4}, 3));
}

// Long rows are computed in blocks of k, which end inside segments or hold several.
TEST(MatmulF32, BlocksOfK) {
  for (int64_t m : {12, 13, 16, 29})
    for (int64_t n : {16, 17, 40}) expect_same_bytes(random_problem({m, n, 1153, 1}, 6));
  expect_same_bytes(random_problem({157, 18, 1153, 1}, 11));
  expect_same_bytes(random_problem({31, 35, 1155, 5}, 7));
  expect_same_bytes(random_problem({14, 50, 2000, 400}, 8));
  expect_same_bytes(random_problem({26, 40, 4608, 9}, 9));
}

TEST(MatmulF32, BlocksPassNanAndInfinityAndClipOnce) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  Problem problem = random_problem({19, 37, 1500, 3}, 10);
  problem.lo = -1.0f;
  problem.hi = 2.0f;
  problem.a[500] = std::numeric_limits<float>::quiet_NaN();  // row 1, segment 0
  problem.a[19 * 500 + 2 * 500 + 7] = kInf;                  // row 2, segment 1
  problem.a[2 * 19 * 500 + 3 * 500 + 499] = -kInf;           // row 3, the last element
  for (int64_t k = 0; k < 1500; ++k) problem.b[k * 37 + 5] = k < 700 ? 1.0f : -1.0f;
  for (int64_t k = 0; k < 500; ++k) problem.a[4 * 500 + k] = 3.0f;  // far above hi, then back
  for (int64_t s : {1, 2})
    for (int64_t k = 0; k < 500; ++k) problem.a[(s * 19 + 4) * 500 + k] = 2.5f;
  problem.bias[5] = 0.5f;
  expect_same_bytes(problem);
  const std::vector<float> y = plain(problem);
  EXPECT_TRUE(std::isnan(y[37]));
  EXPECT_TRUE(y[2 * 37] == -1.0f || y[2 * 37] == 2.0f);
  EXPECT_EQ(y[4 * 37 + 5], 0.5f);  // 0.5 + 700 sums upwards, 800 downwards
}

TEST(MatmulF32, ClipsAtBothEndsAndPassesNan) {
  Problem problem = random_problem({7, 37, 12, 3}, 4);
  problem.lo = 0.0f;
  problem.hi = 1.5f;
  problem.a[5] = std::numeric_limits<float>::quiet_NaN();
  problem.a[40] = std::numeric_limits<float>::infinity();
  problem.bias[3] = -0.0f;
  expect_same_bytes(problem);
  const std::vector<float> y = plain(problem);
  EXPECT_TRUE(std::isnan(y[37]));  // a[5] is in row 1
  for (float v : y) EXPECT_TRUE(std::isnan(v) || (v >= 0.0f && v <= 1.5f));
}

TEST(MatmulF32, DenormalsAreNotFlushed) {
  Problem problem = random_problem({3, 18, 1, 1}, 5);
  for (float& x : problem.a) x = 1e-30f;
  for (float& x : problem.b) x = 1e-10f;
  for (float& x : problem.bias) x = 0.0f;
  expect_same_bytes(problem);
  EXPECT_GT(plain(problem)[0], 0.0f);
}

RC_GTEST_PROP(MatmulF32, EqualsThePlainLoop, ()) {
  const int64_t segments = *rc::gen::inRange<int64_t>(1, 6);
  const Case size{*rc::gen::inRange<int64_t>(1, 60), *rc::gen::inRange<int64_t>(1, 140),
                  segments * *rc::gen::inRange<int64_t>(1, 40), segments};
  expect_same_bytes(random_problem(size, *rc::gen::arbitrary<uint32_t>()));
}

}  // namespace
}  // namespace nibble::kernels
