#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

using model::Attr;
using model::Op;
using testing::RunOp;
using testing::tensor;
using testing::values;

TEST(ElementwiseStep, IntegersWrapAndDivideTowardsZero) {
  constexpr int32_t kMin = std::numeric_limits<int32_t>::min();
  const Tensor a = tensor<int32_t>({6}, {7, -7, 7, -7, kMin, 5}),
               b = tensor<int32_t>({6}, {2, 2, -2, -2, -1, 0});
  const auto run = [&](Op op, model::Attributes attributes = {}) {
    return values<int32_t>(RunOp{op, attributes}({a, b}, {{DType::kI32, {6}}})[0]);
  };
  EXPECT_EQ(run(Op::kDiv), (std::vector<int32_t>{3, -3, -3, 3, kMin, 0}));
  EXPECT_EQ(run(Op::kMod), (std::vector<int32_t>{1, 1, -1, -1, 0, 0}));
  model::Attributes fmod;
  fmod.set(Attr::fmod, int64_t{1});
  EXPECT_EQ(run(Op::kMod, fmod), (std::vector<int32_t>{1, -1, 1, -1, 0, 0}));
  EXPECT_EQ(run(Op::kMul), (std::vector<int32_t>{14, -14, -14, 14, kMin, 0}));
  EXPECT_EQ(run(Op::kMax), (std::vector<int32_t>{7, 2, 7, -2, -1, 5}));
}

TEST(ElementwiseStep, PowMixesTypes) {
  const Tensor base = tensor<int64_t>({4}, {2, -3, 1, -1}),
               exponent = tensor<int64_t>({4}, {10, 3, -5, -3});
  EXPECT_EQ(values<int64_t>(RunOp{Op::kPow}({base, exponent}, {{DType::kI64, {4}}})[0]),
            (std::vector<int64_t>{1024, -27, 1, -1}));
  const Tensor whole = tensor<int32_t>({3}, {1, 2, 3}), real = tensor<float>({3}, {4, 5, 6});
  EXPECT_EQ(values<int32_t>(RunOp{Op::kPow}({whole, real}, {{DType::kI32, {3}}})[0]),
            (std::vector<int32_t>{1, 32, 729}));
  EXPECT_EQ(values<float>(RunOp{Op::kPow}({real, whole}, {{DType::kF32, {3}}})[0]),
            (std::vector<float>{4, 25, 216}));
  const Tensor two = tensor<float>({}, {2});
  EXPECT_EQ(values<float>(RunOp{Op::kPow}({real, two}, {{DType::kF32, {3}}})[0]),
            (std::vector<float>{16, 25, 36}));
}

TEST(ElementwiseStep, MinTakesAnyNumberOfOperands) {
  const Tensor a = tensor<float>({2, 1}, {1, 5}), b = tensor<float>({3}, {0, 3, 9}),
               c = tensor<float>({}, {4});
  EXPECT_EQ(values<float>(RunOp{Op::kMin}({a, b, c}, {{DType::kF32, {2, 3}}})[0]),
            (std::vector<float>{0, 1, 1, 0, 3, 4}));
  EXPECT_EQ(values<float>(RunOp{Op::kMax}({b}, {{DType::kF32, {3}}})[0]),
            (std::vector<float>{0, 3, 9}));
}

TEST(ElementwiseStep, FusedClipBoundsTheSum) {
  model::Attributes relu6;
  relu6.set(Attr::clip_min, 0.0f);
  relu6.set(Attr::clip_max, 6.0f);
  const Tensor a = tensor<float>({4}, {-1, 1, 9, std::nanf("")}), b = tensor<float>({}, {0.5f});
  const auto y = values<float>(RunOp{Op::kAdd, relu6}({a, b}, {{DType::kF32, {4}}})[0]);
  EXPECT_EQ(y[0], 0.0f);
  EXPECT_EQ(y[1], 1.5f);
  EXPECT_EQ(y[2], 6.0f);
  EXPECT_TRUE(std::isnan(y[3]));
}

TEST(ElementwiseStep, ClipReadsOptionalBounds) {
  const Tensor x = tensor<int8_t>({3}, {-100, 0, 100}), none = tensor<int8_t>({}, {0}),
               hi = tensor<int8_t>({}, {50});
  EXPECT_EQ(
      values<int8_t>(RunOp{.op = Op::kClip, .absent = {1}}({x, none, hi}, {{DType::kI8, {3}}})[0]),
      (std::vector<int8_t>{-100, 0, 50}));
}

TEST(ElementwiseStep, WhereBroadcastsTheCondition) {
  const Tensor c = tensor<bool>({2, 1}, {true, false}), a = tensor<int64_t>({2}, {1, 2}),
               b = tensor<int64_t>({}, {9});
  EXPECT_EQ(values<int64_t>(RunOp{Op::kWhere}({c, a, b}, {{DType::kI64, {2, 2}}})[0]),
            (std::vector<int64_t>{1, 2, 9, 9}));
}

/// Any broadcast of three axes, against the definition, at every ISA and with two threads.
RC_GTEST_PROP(ElementwiseStep, BroadcastsAsNumPy, ()) {
  Shape a, b, y;
  const int rank = *rc::gen::inRange(0, 5);
  for (int i = 0; i < rank; ++i) {
    const int64_t dim = *rc::gen::inRange<int64_t>(0, 6);
    const int kind = *rc::gen::inRange(0, 4);
    a.push_back(kind == 1 ? 1 : dim);
    b.push_back(kind == 2 ? 1 : dim);
    y.push_back(kind == 3 && dim == 1 ? 1 : dim);
  }
  Tensor ta(DType::kF32, a), tb(DType::kF32, b);
  for (int64_t i = 0; i < ta.size(); ++i)
    ta.span<float>()[static_cast<size_t>(i)] = static_cast<float>(i) * 0.37f;
  for (int64_t i = 0; i < tb.size(); ++i)
    tb.span<float>()[static_cast<size_t>(i)] = 1.0f - static_cast<float>(i);
  Tensor want(DType::kF32, y);
  for (int64_t i = 0; i < want.size(); ++i) {
    int64_t ia = 0, ib = 0, rest = i, sa = 1, sb = 1;
    for (int axis = rank - 1; axis >= 0; --axis) {
      const int64_t index = rest % y[axis];
      rest /= y[axis];
      ia += a[axis] == 1 ? 0 : index * sa;
      ib += b[axis] == 1 ? 0 : index * sb;
      sa *= a[axis];
      sb *= b[axis];
    }
    want.span<float>()[static_cast<size_t>(i)] =
        ta.span<float>()[static_cast<size_t>(ia)] - tb.span<float>()[static_cast<size_t>(ib)];
  }
  for (Isa isa : runnable_isas()) {
    const auto got = RunOp{.op = Op::kSub, .isa = isa, .threads = 2}({ta, tb}, {{DType::kF32, y}});
    if (want.size() > 0) RC_ASSERT(std::memcmp(got[0].data(), want.data(), want.bytes()) == 0);
  }
}

}  // namespace
}  // namespace nibble::run
