#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include "deploy/kernels/move/move.h"
#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

using model::Attr;
using model::Attributes;
using model::Op;
using testing::RunOp;
using testing::tensor;
using testing::values;
using Ints = std::vector<int64_t>;

Attributes attributes(std::initializer_list<std::pair<Attr, model::AttrValue>> entries) {
  Attributes result;
  for (const auto& [key, value] : entries) result.set(key, value);
  return result;
}

/// 0, 1, 2, ... of any type.
template <class T>
Tensor iota(const Shape& shape) {
  Tensor t(dtype_of<T>(), shape);
  for (int64_t i = 0; i < t.size(); ++i) t.span<T>()[static_cast<size_t>(i)] = static_cast<T>(i);
  return t;
}

template <class T>
void expect_transposed(const Shape& shape, const Ints& perm, int threads) {
  const Tensor x = iota<T>(shape);
  Shape y;
  for (int64_t p : perm) y.push_back(shape[static_cast<int>(p)]);
  const auto out = RunOp{Op::kTranspose, attributes({{Attr::perm, perm}}), Isa::kPortable, threads}(
      {x}, {{dtype_of<T>(), y}});
  Ints at(perm.size(), 0);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t from = 0;
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const auto where = std::find(perm.begin(), perm.end(), axis) - perm.begin();
      from = from * shape[axis] + at[static_cast<size_t>(where)];
    }
    ASSERT_EQ(out[0].template span<T>()[static_cast<size_t>(i)], static_cast<T>(from));
    for (size_t axis = at.size(); axis-- > 0;) {
      if (++at[axis] < y[static_cast<int>(axis)]) break;
      at[axis] = 0;
    }
  }
}

RC_GTEST_PROP(Transpose, EqualsTheDefinition, ()) {
  const int rank = *rc::gen::inRange(1, 6);
  Shape shape;
  for (int i = 0; i < rank; ++i) shape.push_back(*rc::gen::inRange<int64_t>(0, 6));
  Ints perm(static_cast<size_t>(rank));
  std::iota(perm.begin(), perm.end(), int64_t{0});
  for (size_t i = perm.size(); i-- > 1;)
    std::swap(perm[i], perm[*rc::gen::inRange<size_t>(0, i + 1)]);
  expect_transposed<uint8_t>(shape, perm, 1);
  expect_transposed<int16_t>(shape, perm, 2);
  expect_transposed<float>(shape, perm, 1);
  expect_transposed<int64_t>(shape, perm, 1);
}

TEST(Transpose, LayoutsOfImagesOnManyThreads) {
  for (int threads : {1, 3}) {
    expect_transposed<float>({2, 3, 131, 67}, {0, 2, 3, 1}, threads);
    expect_transposed<float>({2, 131, 67, 19}, {0, 3, 1, 2}, threads);
    expect_transposed<int8_t>({1, 65, 63, 64}, {0, 2, 3, 1}, threads);
  }
}

TEST(Slice, ForwardsBackwardsAndEmpty) {
  const Tensor x = iota<float>({4, 5});
  const auto slice = [&](Ints starts, Ints ends, Ints axes, Ints steps, const Shape& y) {
    const auto list = [](const Ints& v) {
      return Tensor::of<int64_t>({static_cast<int64_t>(v.size())}, v);
    };
    const Tensor s = list(starts), e = list(ends), a = list(axes), t = list(steps);
    return values<float>(RunOp{Op::kSlice}({x, s, e, a, t}, {{DType::kF32, y}})[0]);
  };
  using F = std::vector<float>;
  EXPECT_EQ(slice({1, 0}, {3, 5}, {0, 1}, {1, 2}, {2, 3}), (F{5, 7, 9, 10, 12, 14}));
  EXPECT_EQ(slice({-1}, {-100}, {1}, {-2}, {4, 3}), (F{4, 2, 0, 9, 7, 5, 14, 12, 10, 19, 17, 15}));
  EXPECT_EQ(slice({3}, {std::numeric_limits<int64_t>::min()}, {0}, {-3}, {2, 5}),
            (F{15, 16, 17, 18, 19, 0, 1, 2, 3, 4}));
  EXPECT_EQ(slice({2}, {2}, {0}, {1}, {0, 5}), F{});
}

TEST(ExpandTile, RepeatAxes) {
  const Tensor x = tensor<int16_t>({2, 1}, {3, 4});
  const Tensor shape = tensor<int64_t>({3}, {2, 1, 3});
  EXPECT_EQ(values<int16_t>(RunOp{Op::kExpand}({x, shape}, {{DType::kI16, {2, 2, 3}}})[0]),
            (std::vector<int16_t>{3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4}));
  const Tensor scalar = tensor<float>({}, {5});
  const Tensor two = tensor<int64_t>({1}, {2}), none = tensor<int64_t>({0}, {});
  EXPECT_EQ(values<float>(RunOp{Op::kExpand}({scalar, two}, {{DType::kF32, {2}}})[0]),
            (std::vector<float>{5, 5}));
  EXPECT_EQ(values<float>(RunOp{Op::kExpand}({scalar, none}, {{DType::kF32, {}}})[0]),
            (std::vector<float>{5}));
  const Tensor y = iota<uint8_t>({2, 3});
  const Tensor repeats = tensor<int64_t>({2}, {2, 2});
  EXPECT_EQ(values<uint8_t>(RunOp{Op::kTile}({y, repeats}, {{DType::kU8, {4, 6}}})[0]),
            (std::vector<uint8_t>{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5,
                                  0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}));
}

TEST(DepthToSpace, BothModesAndBack) {
  const Tensor x = iota<float>({1, 8, 1, 2});
  const auto block = [](const char* mode) {
    return attributes({{Attr::blocksize, int64_t{2}}, {Attr::mode, std::string(mode)}});
  };
  const auto dcr = RunOp{Op::kDepthToSpace, block("DCR")}({x}, {{DType::kF32, {1, 2, 2, 4}}});
  EXPECT_EQ(values<float>(dcr[0]),
            (std::vector<float>{0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15}));
  const auto crd = RunOp{Op::kDepthToSpace, block("CRD")}({x}, {{DType::kF32, {1, 2, 2, 4}}});
  EXPECT_EQ(values<float>(crd[0]),
            (std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15}));
  const auto back = RunOp{Op::kSpaceToDepth, attributes({{Attr::blocksize, int64_t{2}}})}(
      {dcr[0]}, {{DType::kF32, {1, 8, 1, 2}}});
  EXPECT_EQ(values<float>(back[0]), values<float>(x));
}

TEST(ConcatSplit, AlongAnyAxis) {
  const Tensor a = iota<float>({2, 2}), b = iota<float>({2, 1}), none(DType::kF32, {2, 0});
  const auto axis = attributes({{Attr::axis, int64_t{1}}});
  const auto joined = RunOp{Op::kConcat, axis}({a, none, b}, {{DType::kF32, {2, 3}}});
  EXPECT_EQ(values<float>(joined[0]), (std::vector<float>{0, 1, 0, 2, 3, 1}));
  const auto parts = RunOp{Op::kSplit, axis}(
      {joined[0]}, {{DType::kF32, {2, 1}}, {DType::kF32, {2, 0}}, {DType::kF32, {2, 2}}});
  EXPECT_EQ(values<float>(parts[0]), (std::vector<float>{0, 2}));
  EXPECT_EQ(values<float>(parts[2]), (std::vector<float>{1, 0, 3, 1}));
}

TEST(Gather, CountsFromEitherEnd) {
  const Tensor x = iota<float>({2, 3, 2});
  const Tensor i = tensor<int32_t>({2}, {-1, 0});
  const auto y = RunOp{Op::kGather, attributes({{Attr::axis, int64_t{1}}})}(
      {x, i}, {{DType::kF32, {2, 2, 2}}});
  EXPECT_EQ(values<float>(y[0]), (std::vector<float>{4, 5, 0, 1, 10, 11, 6, 7}));
}

TEST(Pad, Modes) {
  const Tensor x = iota<float>({2, 3});
  const auto pad = [&](const char* mode, std::initializer_list<int64_t> pads, const Shape& y) {
    const Tensor p = tensor<int64_t>({4}, pads), v = tensor<float>({}, {9});
    return values<float>(RunOp{Op::kPad, attributes({{Attr::mode, std::string(mode)}})}(
        {x, p, v}, {{DType::kF32, y}})[0]);
  };
  using F = std::vector<float>;
  EXPECT_EQ(pad("constant", {1, 1, 0, 0}, {3, 4}), (F{9, 9, 9, 9, 9, 0, 1, 2, 9, 3, 4, 5}));
  EXPECT_EQ(pad("constant", {0, -1, 0, 1}, {2, 3}), (F{1, 2, 9, 4, 5, 9}));
  EXPECT_EQ(pad("edge", {0, 2, 1, 0}, {3, 5}), (F{0, 0, 0, 1, 2, 3, 3, 3, 4, 5, 3, 3, 3, 4, 5}));
  EXPECT_EQ(pad("reflect", {1, 0, 0, 2}, {3, 5}), (F{3, 4, 5, 4, 3, 0, 1, 2, 1, 0, 3, 4, 5, 4, 3}));
  EXPECT_EQ(pad("wrap", {0, 1, 0, 1}, {2, 5}), (F{2, 0, 1, 2, 0, 5, 3, 4, 5, 3}));
  const Tensor empty(DType::kI8, {0, 2}), p = tensor<int64_t>({4}, {1, 0, 0, 0});
  EXPECT_EQ(values<int8_t>(RunOp{Op::kPad}({empty, p}, {{DType::kI8, {1, 2}}})[0]),
            (std::vector<int8_t>{0, 0}));
  // Whole trailing axes move as one block.
  const Tensor image = iota<uint8_t>({1, 2, 2, 2});
  const Tensor around = tensor<int64_t>({8}, {0, 1, 0, 0, 0, 0, 1, 0}),
               z = tensor<uint8_t>({}, {7});
  EXPECT_EQ(values<uint8_t>(RunOp{Op::kPad}({image, around, z}, {{DType::kU8, {1, 3, 3, 2}}})[0]),
            (std::vector<uint8_t>{7, 7, 7, 7, 7, 7, 0, 1, 2, 3, 7, 7, 4, 5, 6, 7, 7, 7}));
}

TEST(Cast, SaturatesAndTruncates) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = tensor<float>({8}, {-1.9f, 1.9f, 300, -300, inf, -inf, nan, 1e-40f});
  const auto cast = [&](DType to) { return RunOp{Op::kCast}({x}, {{to, {8}}}); };
  EXPECT_EQ(values<int8_t>(cast(DType::kI8)[0]),
            (std::vector<int8_t>{-1, 1, 127, -128, 127, -128, 0, 0}));
  EXPECT_EQ(values<uint8_t>(cast(DType::kU8)[0]),
            (std::vector<uint8_t>{0, 1, 255, 0, 255, 0, 0, 0}));
  const auto wide = values<int64_t>(cast(DType::kI64)[0]);
  EXPECT_EQ(wide[4], std::numeric_limits<int64_t>::max());
  EXPECT_EQ(wide[5], std::numeric_limits<int64_t>::min());
  const auto truth = cast(DType::kBool);
  for (size_t i = 0; i < 8; ++i) EXPECT_TRUE(truth[0].span<bool>()[i]) << i;
  const Tensor ints = tensor<int64_t>({3}, {257, -1, 0});
  EXPECT_EQ(values<uint8_t>(RunOp{Op::kCast}({ints}, {{DType::kU8, {3}}})[0]),
            (std::vector<uint8_t>{1, 255, 0}));
  EXPECT_EQ(values<float>(RunOp{Op::kCast}({ints}, {{DType::kF32, {3}}})[0]),
            (std::vector<float>{257, -1, 0}));
}

TEST(Shapes, ShapeSizeFillRange) {
  const Tensor x(DType::kF32, {2, 0, 4});
  EXPECT_EQ(values<int64_t>(RunOp{Op::kShape, attributes({{Attr::start, int64_t{-2}}})}(
                {x}, {{DType::kI64, {2}}})[0]),
            (Ints{0, 4}));
  EXPECT_EQ(values<int64_t>(RunOp{Op::kSize}({x}, {{DType::kI64, {}}})[0]), (Ints{0}));
  const Tensor shape = tensor<int64_t>({1}, {3}), seven = tensor<int32_t>({1}, {7});
  EXPECT_EQ(values<int32_t>(RunOp{Op::kConstantOfShape}({shape, seven}, {{DType::kI32, {3}}})[0]),
            (std::vector<int32_t>{7, 7, 7}));
  EXPECT_EQ(values<float>(RunOp{Op::kConstantOfShape}({shape}, {{DType::kF32, {3}}})[0]),
            (std::vector<float>{0, 0, 0}));
  const Tensor a = tensor<int64_t>({}, {10}), b = tensor<int64_t>({}, {0}),
               d = tensor<int64_t>({}, {-4});
  EXPECT_EQ(values<int64_t>(RunOp{Op::kRange}({a, b, d}, {{DType::kI64, {3}}})[0]),
            (Ints{10, 6, 2}));
}

TEST(StridedCopy, MergesAxesThatWalkAtOnePace) {
  using Axis = kernels::StridedCopy::Axis;
  const Axis whole[] = {{2, 12}, {3, 4}, {1, 99}, {4, 1}};
  EXPECT_EQ(kernels::plan_strided_copy(whole, 0, 4).axes, (std::vector<Axis>{{24, 1}}));
  const Axis images[] = {{2, 60}, {4, 5}, {5, 1}, {3, 20}};  // NCHW 2x3x4x5 to NHWC
  const auto plan = kernels::plan_strided_copy(images, 0, 4);
  EXPECT_EQ(plan.axes, (std::vector<Axis>{{2, 60}, {20, 1}, {3, 20}}));
  EXPECT_EQ(plan.inner, kernels::StridedCopy::Inner::kTranspose);
}

}  // namespace
}  // namespace nibble::run
