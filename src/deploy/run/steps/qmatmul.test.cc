#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <random>

#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

using model::Attr;
using numeric::RequantiseVariant;

template <class T>
Tensor random_codes(const Shape& shape, std::mt19937& rng, bool extreme) {
  Tensor tensor(dtype_of<T>(), shape);
  using Limits = std::numeric_limits<T>;
  for (T& v : tensor.span<T>())
    v = extreme ? (rng() % 2 ? Limits::min() : Limits::max()) : static_cast<T>(rng());
  return tensor;
}

/// [batch, m, k] x [batch or 1, k, n] against the definition in int64.
template <class X, class B, class Y>
void expect_definition(int64_t batch, bool share_b, int64_t m, int64_t n, int64_t k, bool extreme,
                       uint32_t seed) {
  std::mt19937 rng(seed);
  testing::Node node{model::Op::kQMatMul, {}, {}, dtype_of<Y>(), {batch, m, n}};
  node.inputs = testing::activations(random_codes<X>({batch, m, k}, rng, extreme),
                                     random_codes<B>({share_b ? 1 : batch, k, n}, rng, extreme));
  const int64_t x_zero = static_cast<X>(rng()), b_zero = static_cast<B>(rng());
  const int64_t y_zero = static_cast<int8_t>(rng()), y_min = -100, y_max = 90;
  const double factor = std::ldexp(static_cast<double>(rng() % 100 + 1), -14);
  const numeric::FixedMultiplier m0 = numeric::to_fixed(factor);
  auto& attributes = node.attributes;
  attributes.set(Attr::x_zero, x_zero);
  attributes.set(Attr::b_zero, b_zero);
  attributes.set(Attr::y_zero, y_zero);
  attributes.set(Attr::y_min, y_min);
  attributes.set(Attr::y_max, y_max);
  attributes.set(Attr::multiplier, std::vector<float>{static_cast<float>(factor)});
  attributes.set(Attr::fixed_multiplier, std::vector<int64_t>{m0.m0});
  attributes.set(Attr::fixed_exponent, std::vector<int64_t>{m0.exponent});
  const auto a = node.inputs[0].tensor.span<X>();
  const auto b = node.inputs[1].tensor.span<B>();
  for (auto variant : {RequantiseVariant::kFloat, RequantiseVariant::kFixed}) {
    node.requantise = variant;
    std::vector<int64_t> want;
    for (int64_t i = 0; i < batch * m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        int64_t acc = 0;
        for (int64_t t = 0; t < k; ++t)
          acc += (a[i * k + t] - x_zero) * (b[((share_b ? 0 : i / m) * k + t) * n + j] - b_zero);
        const int64_t r = variant == RequantiseVariant::kFixed
                              ? numeric::requantise_fixed(acc, m0)
                              : std::llrint(static_cast<float>(acc) * static_cast<float>(factor));
        want.push_back(std::clamp(r + y_zero, y_min, y_max));
      }
    for (Isa isa : runnable_isas()) {
      for (int threads : {1, 2}) {
        const Tensor got = testing::run(node, isa, threads);
        for (size_t i = 0; i < want.size(); ++i)
          ASSERT_EQ(got.span<Y>()[i], want[i])
              << name_of(isa) << " m " << m << " n " << n << " k " << k << " element " << i;
      }
    }
  }
}

TEST(QMatMul, EveryLengthOfK) {
  for (int64_t k : {1, 3, 4, 63, 64, 65, 130})
    for (bool share : {false, true})
      expect_definition<int8_t, int8_t, int8_t>(2, share, 3, 37, k, false, 1);
}

TEST(QMatMul, ExtremeCodes) {
  expect_definition<int8_t, int8_t, int8_t>(1, true, 7, 33, 512, true, 2);
}

TEST(QMatMul, SixteenBitOperands) {
  expect_definition<int16_t, int8_t, int16_t>(1, true, 3, 5, 7, false, 3);
  expect_definition<int8_t, int16_t, int8_t>(2, false, 3, 5, 7, false, 4);
  expect_definition<int16_t, int16_t, int8_t>(1, true, 2, 2, 4, false, 5);
  expect_definition<int8_t, int8_t, int16_t>(1, true, 2, 9, 4, false, 6);
}

TEST(QMatMul, RefusesParametersThatNoLoweringMakes) {
  testing::Node node{model::Op::kQMatMul, {}, {}, DType::kI8, {1, 1}};
  node.inputs = testing::activations(testing::tensor<int8_t>({1, 2}, {1, 2}),
                                     testing::tensor<int8_t>({2, 1}, {3, 4}));
  node.attributes.set(Attr::multiplier, std::vector<float>{1});
  EXPECT_EQ(testing::run(node).span<int8_t>()[0], 11);
  for (Attr zero : {Attr::x_zero, Attr::b_zero, Attr::y_zero})
    for (int64_t value : {-129, 128, INT32_MAX}) {
      node.attributes.set(zero, value);
      EXPECT_NONFATAL_FAILURE(testing::run(node), "expects zero points among the codes");
      node.attributes.set(zero, int64_t{0});
    }
  for (float m : {NAN, INFINITY, -1.0f}) {
    node.attributes.set(Attr::multiplier, std::vector<float>{m});
    EXPECT_NONFATAL_FAILURE(testing::run(node), "expects a finite multiplier");
  }
}

RC_GTEST_PROP(QMatMul, EqualsTheDefinition, ()) {
  const auto range = [](int64_t lo, int64_t hi) { return *rc::gen::inRange<int64_t>(lo, hi); };
  expect_definition<int8_t, int8_t, int8_t>(range(1, 4), range(0, 2), range(1, 30), range(1, 80),
                                            range(1, 90), range(0, 3) == 0,
                                            *rc::gen::arbitrary<uint32_t>());
}

}  // namespace
}  // namespace nibble::run
