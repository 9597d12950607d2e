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

/// Sums over any set of axes: binary32 additions in ascending order, the same bytes on every ISA.
RC_GTEST_PROP(ReduceStep, SumsInAscendingOrder, ()) {
  Shape shape, kept;
  std::vector<int64_t> axes;
  for (int i = 0; i < 4; ++i) {
    shape.push_back(*rc::gen::inRange<int64_t>(1, 7));
    const bool goes = *rc::gen::arbitrary<bool>();
    kept.push_back(goes ? 1 : shape[i]);
    if (goes) axes.push_back(i);
  }
  RC_PRE(!axes.empty());
  Tensor x(DType::kF32, shape), want(DType::kF32, kept);
  for (int64_t i = 0; i < x.size(); ++i)
    x.span<float>()[static_cast<size_t>(i)] =
        std::sin(static_cast<float>(i)) * (i % 4 ? 1.0f : 1e6f);
  std::fill(want.span<float>().begin(), want.span<float>().end(), 0.0f);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t rest = i, to = 0, stride = 1;
    for (int axis = 3; axis >= 0; --axis) {
      if (kept[axis] != 1) to += rest % shape[axis] * stride;
      rest /= shape[axis];
      stride *= kept[axis];
    }
    want.span<float>()[static_cast<size_t>(to)] += x.span<float>()[static_cast<size_t>(i)];
  }
  const Tensor list = Tensor::of<int64_t>({static_cast<int64_t>(axes.size())}, axes);
  for (Isa isa : runnable_isas()) {
    const auto got =
        RunOp{.op = Op::kReduceSum, .isa = isa, .threads = 2}({x, list}, {{DType::kF32, kept}});
    RC_ASSERT(std::memcmp(got[0].data(), want.data(), want.bytes()) == 0);
  }
}

TEST(ReduceStep, EmptyAxesGiveTheIdentity) {
  const Tensor none(DType::kF32, {2, 0}), axes = tensor<int64_t>({1}, {1});
  const auto run = [&](Op op) {
    return values<float>(RunOp{op}({none, axes}, {{DType::kF32, {2, 1}}})[0]);
  };
  constexpr float kInf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(run(Op::kReduceSum), (std::vector<float>{0, 0}));
  EXPECT_EQ(run(Op::kReduceProd), (std::vector<float>{1, 1}));
  EXPECT_EQ(run(Op::kReduceMax), (std::vector<float>{-kInf, -kInf}));
  EXPECT_EQ(run(Op::kReduceMin), (std::vector<float>{kInf, kInf}));
}

TEST(ReduceStep, NanWinsExtremes) {
  const Tensor x = tensor<float>({3}, {1, std::nanf(""), 3});
  EXPECT_TRUE(std::isnan(values<float>(RunOp{Op::kReduceMax}({x}, {{DType::kF32, {1}}})[0])[0]));
  EXPECT_TRUE(std::isnan(values<float>(RunOp{Op::kReduceMin}({x}, {{DType::kF32, {1}}})[0])[0]));
}

TEST(ArgExtremeStep, ChoosesAmongEqualsAsAsked) {
  const Tensor x = tensor<int32_t>({2, 4}, {5, 9, 9, 1, 1, 1, 0, 0});
  model::Attributes a;
  a.set(Attr::axis, int64_t{1});
  const auto run = [&](Op op) {
    return values<int64_t>(RunOp{op, a}({x}, {{DType::kI64, {2, 1}}})[0]);
  };
  EXPECT_EQ(run(Op::kArgMax), (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(run(Op::kArgMin), (std::vector<int64_t>{3, 2}));
  a.set(Attr::select_last_index, int64_t{1});
  EXPECT_EQ(run(Op::kArgMax), (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(run(Op::kArgMin), (std::vector<int64_t>{3, 3}));
}

}  // namespace
}  // namespace nibble::run
