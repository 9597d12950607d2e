#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

using model::Attr;
using testing::Node;

Tensor random_tensor(const Shape& shape, uint32_t seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal;
  Tensor tensor(DType::kF32, shape);
  for (float& v : tensor.span<float>()) v = normal(rng);
  return tensor;
}

TEST(Gemm, StartsAtTheBias) {
  const int64_t m = 3, n = 37, k = 19;
  for (bool a_transposed : {false, true})
    for (bool b_transposed : {false, true})
      for (bool constant : {false, true}) {
        Node node{model::Op::kGemm, {}, {}, DType::kF32, {m, n}};
        node.attributes.set(Attr::transA, int64_t{a_transposed});
        node.attributes.set(Attr::transB, int64_t{b_transposed});
        node.attributes.set(Attr::beta, 0.5f);
        node.inputs.push_back({random_tensor(a_transposed ? Shape{k, m} : Shape{m, k}, 1)});
        node.inputs.push_back(
            {random_tensor(b_transposed ? Shape{n, k} : Shape{k, n}, 2), constant});
        node.inputs.push_back({random_tensor({n}, 3), constant});
        const auto a = node.inputs[0].tensor.span<float>(), b = node.inputs[1].tensor.span<float>(),
                   c = node.inputs[2].tensor.span<float>();
        const Tensor got = testing::run(node);
        for (int64_t i = 0; i < m; ++i)
          for (int64_t j = 0; j < n; ++j) {
            float want = 0.5f * c[j];
            for (int64_t t = 0; t < k; ++t)
              want = std::fma(a[a_transposed ? t * m + i : i * k + t],
                              b[b_transposed ? j * k + t : t * n + j], want);
            ASSERT_EQ(got.span<float>()[i * n + j], want);
          }
      }
}

TEST(Gemm, ScalesAndBroadcastsC) {
  const int64_t m = 4, n = 3, k = 2;
  for (const Shape& shape : {Shape{m, n}, Shape{m, 1}, Shape{1, n}, Shape{1}, Shape{}}) {
    Node node{model::Op::kGemm, {}, {}, DType::kF32, {m, n}};
    node.attributes.set(Attr::alpha, 0.25f);
    node.attributes.set(Attr::beta, 3.0f);
    node.inputs = testing::activations(random_tensor({m, k}, 1), random_tensor({k, n}, 2),
                                       random_tensor(shape, 3));
    const auto a = node.inputs[0].tensor.span<float>(), b = node.inputs[1].tensor.span<float>(),
               c = node.inputs[2].tensor.span<float>();
    const Tensor got = testing::run(node);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const float sum = std::fma(a[i * k + 1], b[n + j], std::fma(a[i * k], b[j], 0.0f));
        const int64_t row = shape.rank() == 2 && shape[0] == m ? i * shape[1] : 0;
        const int64_t column = shape.rank() > 0 && shape[shape.rank() - 1] == n ? j : 0;
        ASSERT_EQ(got.span<float>()[i * n + j], 0.25f * sum + 3.0f * c[row + column]);
      }
  }
}

Tensor matmul(const Shape& a, const Shape& b, const Shape& y, bool constant = false) {
  Node node{model::Op::kMatMul, {}, {}, DType::kF32, y};
  node.inputs = testing::activations(random_tensor(a, 1), random_tensor(b, 2));
  node.inputs[1].constant = constant;
  return testing::run(node);
}

TEST(MatMul, LeadingDimensionsBroadcast) {
  // [2,1,3,4] x [5,4,6]: product (i, j) is A_i x B_j.
  const Tensor a = random_tensor({2, 1, 3, 4}, 1), b = random_tensor({5, 4, 6}, 2);
  for (bool constant : {false, true}) {
    const Tensor y = matmul({2, 1, 3, 4}, {5, 4, 6}, {2, 5, 3, 6}, constant);
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 5; ++j)
        for (int r = 0; r < 3; ++r)
          for (int c = 0; c < 6; ++c) {
            float want = 0;
            for (int k = 0; k < 4; ++k)
              want = std::fma(a.span<float>()[(i * 3 + r) * 4 + k],
                              b.span<float>()[(j * 4 + k) * 6 + c], want);
            ASSERT_EQ(y.span<float>()[((i * 5 + j) * 3 + r) * 6 + c], want);
          }
  }
}

TEST(MatMul, Vectors) {
  const Tensor a = random_tensor({4}, 1), b = random_tensor({4}, 2);
  float dot = 0;
  for (int k = 0; k < 4; ++k) dot = std::fma(a.span<float>()[k], b.span<float>()[k], dot);
  EXPECT_EQ(matmul({4}, {4}, {}).span<float>()[0], dot);
  EXPECT_EQ(matmul({4}, {4, 3}, {3}).size(), 3);
  EXPECT_EQ(matmul({2, 5, 4}, {4}, {2, 5}).span<float>()[0], dot);
}

TEST(MatMul, EmptyProductsAreZero) {
  const Tensor y = matmul({2, 0}, {0, 3}, {2, 3});
  for (float v : y.span<float>()) EXPECT_EQ(v, 0.0f);
  EXPECT_EQ(matmul({0, 4}, {4, 3}, {0, 3}).size(), 0);
}

TEST(MatMul, IntegersWrapAround) {
  Node node{model::Op::kMatMul, {}, {}, DType::kI32, {1, 1}};
  node.inputs = testing::activations(testing::tensor<int32_t>({1, 2}, {INT32_MAX, 3}),
                                     testing::tensor<int32_t>({2, 1}, {2, -5}));
  EXPECT_EQ(testing::run(node).span<int32_t>()[0], -17);
}

}  // namespace
}  // namespace nibble::run
