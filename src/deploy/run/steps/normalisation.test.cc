#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

using model::Attr;
using model::Op;
using testing::RunOp;
using testing::tensor;
using testing::values;

Tensor waves(const Shape& shape, float scale = 1) {
  Tensor t(DType::kF32, shape);
  for (int64_t i = 0; i < t.size(); ++i)
    t.span<float>()[static_cast<size_t>(i)] = scale * std::sin(static_cast<float>(i) * 1.7f);
  return t;
}

/// [N, C, S] to [N, S, C].
Tensor to_last(const Tensor& x) {
  const Shape& s = x.shape();
  Tensor y(DType::kF32, {s[0], s[2], s[1]});
  for (int64_t i = 0; i < x.size(); ++i)
    y.span<float>()[static_cast<size_t>((i / s[2] / s[1] * s[2] + i % s[2]) * s[1] +
                                        i / s[2] % s[1])] = x.span<float>()[static_cast<size_t>(i)];
  return y;
}

void expect_near(const Tensor& got, const std::vector<double>& want, double tolerance) {
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_NEAR(got.span<float>()[i], want[i], tolerance) << i;
}

TEST(Softmax, FollowsItsDefinitionAlongAnyAxis) {
  const Tensor x = waves({3, 5, 7}, 40);
  for (int axis = 0; axis < 3; ++axis) {
    model::Attributes a;
    a.set(Attr::axis, int64_t{axis});
    std::vector<double> want(105), logarithm(105);
    const int64_t inner = x.shape().size(axis + 1, 3), length = x.shape()[axis];
    for (int64_t i = 0; i < 105; ++i) {
      const int64_t start = i / inner / length * inner * length + i % inner;
      double sum = 0, most = -1e9;
      for (int64_t k = 0; k < length; ++k)
        most = std::max<double>(most, x.span<float>()[static_cast<size_t>(start + k * inner)]);
      for (int64_t k = 0; k < length; ++k)
        sum += std::exp(x.span<float>()[static_cast<size_t>(start + k * inner)] - most);
      const double v = x.span<float>()[static_cast<size_t>(i)] - most;
      want[static_cast<size_t>(i)] = std::exp(v) / sum;
      logarithm[static_cast<size_t>(i)] = v - std::log(sum);
    }
    expect_near(RunOp{Op::kSoftmax, a}({x}, {{DType::kF32, x.shape()}})[0], want, 1e-6);
    expect_near(RunOp{Op::kLogSoftmax, a}({x}, {{DType::kF32, x.shape()}})[0], logarithm, 2e-5);
  }
}

TEST(Softmax, BytesDoNotDependOnIsaThreadsOrWhereTheAxisLies) {
  const Tensor x = waves({2, 33, 19}, 5);
  const Tensor last = to_last(x);
  model::Attributes middle;
  middle.set(Attr::axis, int64_t{1});
  const auto want = to_last(RunOp{Op::kSoftmax, middle}({x}, {{DType::kF32, x.shape()}})[0]);
  for (Isa isa : runnable_isas()) {
    const auto got =
        RunOp{.op = Op::kSoftmax, .isa = isa, .threads = 2}({last}, {{DType::kF32, last.shape()}});
    EXPECT_EQ(std::memcmp(got[0].data(), want.data(), want.bytes()), 0) << name_of(isa);
  }
}

TEST(Softmax, OldFormFlattensFromItsAxisOn) {
  model::Attributes a;
  a.set(Attr::axis, int64_t{1});
  a.set(Attr::flatten_from_axis, int64_t{1});
  const Tensor x = tensor<float>({1, 2, 2}, {0, 0, 0, 0});
  EXPECT_EQ(values<float>(RunOp{Op::kSoftmax, a}({x}, {{DType::kF32, {1, 2, 2}}})[0]),
            (std::vector<float>{0.25f, 0.25f, 0.25f, 0.25f}));
}

TEST(BatchNormalization, IsTheSameInBothLayouts) {
  const Tensor x = waves({2, 5, 6}), scale = waves({5}, 2), bias = waves({5}), mean = waves({5}, 3);
  const Tensor var = tensor<float>({5}, {1, 0.5f, 0, 2, 100});
  const auto first =
      RunOp{Op::kBatchNormalization}({x, scale, bias, mean, var}, {{DType::kF32, x.shape()}});
  for (int64_t i = 0; i < 60; ++i) {
    const auto c = static_cast<size_t>(i / 6 % 5);
    const double exact = (x.span<float>()[static_cast<size_t>(i)] - double(mean.span<float>()[c])) *
                             scale.span<float>()[c] / std::sqrt(var.span<float>()[c] + 1e-5) +
                         bias.span<float>()[c];
    EXPECT_NEAR(first[0].span<float>()[static_cast<size_t>(i)], exact,
                1e-6 * std::max(1.0, std::abs(exact) * 100));
  }
  model::Attributes a;
  a.set(Attr::channels_last, int64_t{1});
  const Tensor x_last = to_last(x), want = to_last(first[0]);
  const auto last = RunOp{.op = Op::kBatchNormalization, .attributes = a, .threads = 2}(
      {x_last, scale, bias, mean, var}, {{DType::kF32, x_last.shape()}});
  EXPECT_EQ(std::memcmp(last[0].data(), want.data(), want.bytes()), 0);
}

TEST(InstanceNormalization, IsTheSameInBothLayoutsAndHasMeanZero) {
  const Tensor x = waves({2, 3, 50}, 7), scale = tensor<float>({3}, {1, 1, 1}),
               bias = tensor<float>({3}, {0, 0, 0});
  const auto first =
      RunOp{Op::kInstanceNormalization}({x, scale, bias}, {{DType::kF32, x.shape()}});
  for (int64_t row = 0; row < 6; ++row) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < 50; ++i) {
      const double v = first[0].span<float>()[static_cast<size_t>(row * 50 + i)];
      sum += v;
      squares += v * v;
    }
    EXPECT_NEAR(sum / 50, 0, 1e-6);
    EXPECT_NEAR(squares / 50, 1, 1e-5);
  }
  model::Attributes a;
  a.set(Attr::channels_last, int64_t{1});
  const Tensor x_last = to_last(x), want = to_last(first[0]);
  const auto last =
      RunOp{Op::kInstanceNormalization, a}({x_last, scale, bias}, {{DType::kF32, x_last.shape()}});
  EXPECT_EQ(std::memcmp(last[0].data(), want.data(), want.bytes()), 0);
}

TEST(LayerNormalization, GivesMeanAndInverseDeviation) {
  const Tensor x = tensor<float>({2, 4}, {1, 2, 3, 4, -8, 0, 0, 8}),
               scale = tensor<float>({4}, {1, 2, 1, 2});
  const Tensor bias = tensor<float>({}, {0.5f});
  model::Attributes a;
  a.set(Attr::epsilon, 0.0f);
  const auto y = RunOp{Op::kLayerNormalization, a}(
      {x, scale, bias}, {{DType::kF32, {2, 4}}, {DType::kF32, {2, 1}}, {DType::kF32, {2, 1}}});
  const double d = 1 / std::sqrt(1.25), e = 1 / std::sqrt(32.0);
  expect_near(y[0],
              {-1.5 * d + 0.5, -1 * d + 0.5, 0.5 * d + 0.5, 3 * d + 0.5, -8 * e + 0.5, 0.5, 0.5,
               16 * e + 0.5},
              1e-6);
  expect_near(y[1], {2.5, 0}, 0);
  expect_near(y[2], {d, e}, 1e-7);
}

}  // namespace
}  // namespace nibble::run
