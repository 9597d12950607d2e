#include "deploy/model/infer_shapes.h"

#include <gtest/gtest.h>

#include <limits>

#include "deploy/model/infer_testing.h"

namespace nibble::model::testing {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST(InferElementwise, Broadcasts) {
  EXPECT_EQ(infer(Op::kAdd, {{N, 3, 1}, {4}}), "f32 Nx3x4");
  EXPECT_EQ(infer(Op::kAdd, {{}, {}}), "f32 scalar");
  EXPECT_EQ(infer(Op::kAdd, {{1, 0}, {5, 1}}), "f32 5x0");
  EXPECT_EQ(infer(Op::kMul, {{N, 1}, {1, N}}), "f32 NxN");
  EXPECT_EQ(infer(Op::kMul, {{N, 4}, {3, 4}}), "f32 3x4");
  EXPECT_EQ(infer(Op::kMax, {{2, 1}, {1, 3}, {1}}), "f32 2x3");
  EXPECT_EQ(infer(Op::kWhere, {{2, 1}, {1, 3}, {}}), "Where expects bool as input 0, found f32");
  EXPECT_EQ(infer(Op::kWhere, {In({2, 1}, DType::kBool), {1, 3}, {}}), "f32 2x3");
  EXPECT_EQ(infer(Op::kLess, {{2}, {2}}), "bool 2");
  EXPECT_EQ(infer(Op::kAnd, {In({2}, DType::kBool), In({1}, DType::kBool)}), "bool 2");
  EXPECT_EQ(infer(Op::kPow, {{2}, In({}, DType::kI64)}), "f32 2");
}

TEST(InferElementwise, SaysWhatItExpects) {
  EXPECT_EQ(infer(Op::kAdd, {{2, 3}, {2}}), "Add expects shapes that broadcast, found 2x3 and 2");
  EXPECT_EQ(infer(Op::kAdd, {{2}, In({2}, DType::kI64)}),
            "Add expects one element type, found f32 as input 0 and i64 as input 1");
  EXPECT_EQ(infer(Op::kExp, {In({2}, DType::kI32)}),
            "Exp expects real numbers as input 0, found i32");
  EXPECT_EQ(infer(Op::kNeg, {In({2}, DType::kBool)}), "Neg expects numbers as input 0, found bool");
  EXPECT_EQ(infer(Op::kPRelu, {{3}, {2, 3}}),
            "PRelu expects a slope that broadcasts to 3, found 2x3");
  EXPECT_EQ(infer(Op::kPRelu, {{2, 1}, {3}}),
            "PRelu expects a slope that broadcasts to 2x1, found 3");
  EXPECT_EQ(infer(Op::kClip, {{3}, {2}}), "Clip expects a scalar bound, found 2");
  EXPECT_EQ(infer(Op::kClip, {{3}, In::absent(), {}}), "f32 3");
  EXPECT_EQ(infer(Op::kCast, {{3}}, attributes({{Attr::to, int64_t{99}}})),
            "Cast expects an element type in 'to', found 99");
  EXPECT_EQ(infer(Op::kCast, {{3}}, attributes({{Attr::to, int64_t{11}}})), "i64 3");
}

TEST(InferMatrix, GemmAndMatMul) {
  EXPECT_EQ(infer(Op::kGemm, {{N, 4}, {5, 4}, {5}}, attributes({{Attr::transB, int64_t{1}}})),
            "f32 Nx5");
  EXPECT_EQ(infer(Op::kGemm, {{4, 2}, {4, 5}, {2, 1}}, attributes({{Attr::transA, int64_t{1}}})),
            "f32 2x5");
  EXPECT_EQ(infer(Op::kGemm, {{2, 4}, {4, 5}, {2, 4}}),
            "Gemm expects C to broadcast to 2x5, found 2x4");
  EXPECT_EQ(infer(Op::kGemm, {{1, 4}, {4, 5}, {2, 5}}),
            "Gemm expects C to broadcast to 1x5, found 2x5");
  EXPECT_EQ(infer(Op::kMatMul, {{N, 1, 3, 4}, {7, 4, 5}}), "f32 Nx7x3x5");
  EXPECT_EQ(infer(Op::kMatMul, {{4}, {4}}), "f32 scalar");
  EXPECT_EQ(infer(Op::kMatMul, {{4}, {2, 4, 5}}), "f32 2x5");
  EXPECT_EQ(infer(Op::kMatMul, {{2, 3, 4}, {4}}), "f32 2x3");
  EXPECT_EQ(infer(Op::kMatMul, {{3, 0}, {0, 2}}), "f32 3x2");
  EXPECT_EQ(infer(Op::kMatMul, {{3, 4}, {3, 4}}),
            "MatMul expects inner dimensions that agree, found 3x4 and 3x4");
  EXPECT_EQ(infer(Op::kMatMul, {{}, {3, 4}}),
            "MatMul expects 1 to 8 dimensions of input 0, found scalar");
}

TEST(InferReduce, AxesAsAttributeOrInput) {
  EXPECT_EQ(infer(Op::kReduceMean, {{N, 3, 4}}, attributes({{Attr::axes, Ints{-1, 1}}})),
            "f32 Nx1x1");
  EXPECT_EQ(
      infer(Op::kReduceSum, {{N, 3, 4}, In::ints({1})}, attributes({{Attr::keepdims, int64_t{0}}})),
      "f32 Nx4");
  EXPECT_EQ(infer(Op::kReduceMax, {{2, 3}}), "f32 1x1");
  EXPECT_EQ(
      infer(Op::kReduceMax, {{2, 3}, In::ints({})}, attributes({{Attr::keepdims, int64_t{0}}})),
      "f32 scalar");
  EXPECT_EQ(infer(Op::kReduceSum, {{2, 3}, In::ints({})},
                  attributes({{Attr::noop_with_empty_axes, int64_t{1}}})),
            "f32 2x3");
  EXPECT_EQ(infer(Op::kReduceSum, {{2, 3}, In::ints({1, -1})}), "ReduceSum expects each axis once");
  EXPECT_EQ(infer(Op::kReduceSum, {{2, 3}, In::ints({2})}),
            "ReduceSum expects an axis from -2 to 1, found 2");
  EXPECT_EQ(infer(Op::kReduceSum, {{2, 3, 4}, In({1}, DType::kI64)},
                  attributes({{Attr::keepdims, int64_t{0}}})),
            "f32 NxN");
  EXPECT_EQ(infer(Op::kReduceSum, {{}}), "f32 scalar");
  EXPECT_EQ(infer(Op::kArgMax, {{N, 3}},
                  attributes({{Attr::axis, int64_t{-1}}, {Attr::keepdims, int64_t{0}}})),
            "i64 N");
  EXPECT_EQ(infer(Op::kArgMax, {{2, 0}}, attributes({{Attr::axis, int64_t{1}}})),
            "ArgMax expects at least one element along its axis, found 2x0");
  EXPECT_EQ(infer(Op::kSoftmax, {{2, 3}}, attributes({{Attr::axis, int64_t{2}}})),
            "Softmax expects an axis from -2 to 1, found 2");
  EXPECT_EQ(infer(Op::kSoftmax, {{2, 3}},
                  attributes({{Attr::axis, int64_t{2}}, {Attr::flatten_from_axis, int64_t{1}}})),
            "f32 2x3");
  EXPECT_EQ(infer(Op::kLayerNormalization, {{N, 3, 4}, {4}, {3, 4}},
                  attributes({{Attr::axis, int64_t{1}}}), 3),
            "f32 Nx3x4, f32 Nx1x1, f32 Nx1x1");
  EXPECT_EQ(infer(Op::kLayerNormalization, {{N, 3, 4}, {3}}),
            "LayerNormalization expects input 1 to broadcast to 4, found 3");
}

TEST(InferMove, ConcatSplitGatherTranspose) {
  EXPECT_EQ(infer(Op::kConcat, {{N, 3}, {2, 4}}, attributes({{Attr::axis, int64_t{-1}}})),
            "f32 2x7");
  EXPECT_EQ(infer(Op::kConcat, {{N, 3}, {2, 3}}, attributes({{Attr::axis, int64_t{0}}})),
            "f32 Nx3");
  EXPECT_EQ(infer(Op::kConcat, {{2, 3}, {2, 4}}, attributes({{Attr::axis, int64_t{0}}})),
            "Concat expects inputs that differ along axis 0 only, found 2x3 and 2x4");
  EXPECT_EQ(infer(Op::kSplit, {{6}}, {}, 3), "f32 2, f32 2, f32 2");
  EXPECT_EQ(infer(Op::kSplit, {{7}}, attributes({{Attr::num_outputs, int64_t{3}}}), 3),
            "f32 3, f32 3, f32 1");
  EXPECT_EQ(infer(Op::kSplit, {{2}}, attributes({{Attr::num_outputs, int64_t{3}}}), 3),
            "f32 1, f32 1, f32 0");
  EXPECT_EQ(infer(Op::kSplit, {{7}}, {}, 3),
            "Split expects an axis that divides into 3 equal parts, found 7");
  EXPECT_EQ(
      infer(Op::kSplit, {{2, 7}, In::ints({0, 7})}, attributes({{Attr::axis, int64_t{1}}}), 2),
      "f32 2x0, f32 2x7");
  EXPECT_EQ(infer(Op::kSplit, {{7}, In::ints({3, 3})}, {}, 2),
            "Split expects 2 lengths that add up to 7, found 2 with the sum 6");
  EXPECT_EQ(infer(Op::kSplit, {{7}, In::ints({kMax, kMax})}, {}, 2),
            "Split expects lengths that are not negative, found 9223372036854775807");
  EXPECT_EQ(infer(Op::kGather, {{5, N, 4}, In({2, 3}, DType::kI64)},
                  attributes({{Attr::axis, int64_t{1}}})),
            "f32 5x2x3x4");
  EXPECT_EQ(infer(Op::kGather, {{5}, In({}, DType::kI32)}), "f32 scalar");
  EXPECT_EQ(infer(Op::kGather, {{5}, {2}}), "Gather expects i64 or i32 indices, found f32");
  EXPECT_EQ(infer(Op::kTranspose, {{N, 2, 3}}), "f32 3x2xN");
  EXPECT_EQ(infer(Op::kTranspose, {{N, 2, 3}}, attributes({{Attr::perm, Ints{0, 2, 1}}})),
            "f32 Nx3x2");
  EXPECT_EQ(infer(Op::kTranspose, {{N, 2, 3}}, attributes({{Attr::perm, Ints{0, 2, 2}}})),
            "Transpose expects each axis once");
}

TEST(InferMove, SliceClampsAndRunsBackwards) {
  const auto slice = [](int64_t dim, int64_t start, int64_t end, int64_t step) {
    return infer(Op::kSlice,
                 {{dim}, In::ints({start}), In::ints({end}), In::ints({0}), In::ints({step})});
  };
  EXPECT_EQ(slice(10, 2, 8, 3), "f32 2");
  EXPECT_EQ(slice(10, -3, kMax, 1), "f32 3");
  EXPECT_EQ(slice(10, kMax, kMin, -1), "f32 10");
  EXPECT_EQ(slice(10, -1, -kMax, -4), "f32 3");
  EXPECT_EQ(slice(10, 5, 5, 1), "f32 0");
  EXPECT_EQ(slice(10, 8, 2, 1), "f32 0");
  EXPECT_EQ(slice(10, 0, 10, kMax), "f32 1");
  EXPECT_EQ(slice(10, 9, kMin, kMin), "f32 1");
  EXPECT_EQ(slice(0, 0, kMax, 1), "f32 0");
  EXPECT_EQ(slice(0, -1, kMin, -1), "f32 0");
  EXPECT_EQ(slice(10, 0, 1, 0), "Slice expects steps that are not 0");
  EXPECT_EQ(slice(N, 0, kMax, 1), "f32 N");
  EXPECT_EQ(slice(N, 1, kMax, 1), "f32 N");
  EXPECT_EQ(infer(Op::kSlice, {{N, 5}, In::ints({1}), In::ints({3}), In::ints({-1})}), "f32 Nx2");
  EXPECT_EQ(infer(Op::kSlice, {{4, 5}, In::ints({1, 1}), In::ints({3})}),
            "Slice expects starts, ends and steps of one length, found 2, 1 and 0");
  EXPECT_EQ(infer(Op::kSlice, {{4, 5}, In({1}, DType::kI64), In::ints({3})}), "f32 NxN");
}

TEST(InferMove, PadExpandTile) {
  EXPECT_EQ(infer(Op::kPad, {{N, 4}, In::ints({0, 1, 0, -2})}), "f32 Nx3");
  EXPECT_EQ(infer(Op::kPad, {{2, 4}, In::ints({1, 2}), In::absent(), In::ints({-1})}), "f32 2x7");
  EXPECT_EQ(infer(Op::kPad, {{2, 4}, In::ints({0, -3, 0, -2})}),
            "Pad expects pads that leave no negative dimension of 2x4");
  EXPECT_EQ(infer(Op::kPad, {{2, 4}, In::ints({1})}), "Pad expects 4 pads, found 1");
  EXPECT_EQ(infer(Op::kPad, {{2}, In::ints({kMax, kMax})}),
            "Pad expects pads below 2^56, found 9223372036854775807");
  EXPECT_EQ(infer(Op::kExpand, {{3, 1}, In::ints({2, 1, 6})}), "f32 2x3x6");
  EXPECT_EQ(infer(Op::kExpand, {{3, 1}, In({3}, DType::kI64)}), "f32 NxNxN");
  EXPECT_EQ(infer(Op::kExpand, {{3, 1}, In({N}, DType::kI64)}),
            "Expand needs the value of input 1");
  EXPECT_EQ(infer(Op::kTile, {{N, 3}, In::ints({1, 4})}), "f32 Nx12");
  EXPECT_EQ(infer(Op::kTile, {{2, 3}, In::ints({0, kMax})}),
            "Tile expects sizes that fit in 64 bits");
  EXPECT_EQ(infer(Op::kTile, {{2, 3}, In::ints({2})}), "Tile expects 2 repeats, found 1");
}

TEST(InferReshape, ZeroMinusOneAndUnknown) {
  const auto reshape = [](std::vector<In> inputs, int64_t allowzero = 0) {
    return infer(Op::kReshape, inputs, attributes({{Attr::allowzero, allowzero}}));
  };
  EXPECT_EQ(reshape({{2, 3, 4}, In::ints({0, -1})}), "f32 2x12");
  EXPECT_EQ(reshape({{N, 3, 4}, In::ints({0, -1})}), "f32 Nx12");
  EXPECT_EQ(reshape({{N, 3, 4}, In::ints({-1, 12})}), "f32 Nx12");
  EXPECT_EQ(reshape({{2, 3}, In::ints({})}),
            "Reshape expects as many elements as its input has, found 2x3 to become []");
  EXPECT_EQ(reshape({{1}, In::ints({})}), "f32 scalar");
  EXPECT_EQ(reshape({{0, 3}, In::ints({3, 0})}, 1), "f32 3x0");
  EXPECT_EQ(reshape({{0, 3}, In::ints({0, 3})}), "f32 0x3");
  EXPECT_EQ(reshape({{0, 3}, In::ints({0, -1})}),
            "Reshape expects as many elements as its input has, found 0x3 to become [0, -1]");
  EXPECT_EQ(reshape({{2, 3}, In::ints({-1, -1})}), "Reshape expects at most one -1 in its shape");
  EXPECT_EQ(reshape({{2, 3}, In::ints({4, -1})}),
            "Reshape expects as many elements as its input has, found 2x3 to become [4, -1]");
  EXPECT_EQ(reshape({{2, 3}, In::ints({6, 1, 0})}),
            "Reshape expects a dimension to copy (0) at position 2 of 2x3");
  EXPECT_EQ(reshape({{2, 3}, In::ints({-2})}),
            "Reshape expects dimensions of -1 or more, found -2");
  EXPECT_EQ(reshape({{2, 3}, In::ints({kMax, 2})}), "Reshape expects sizes that fit in 64 bits");
  EXPECT_EQ(reshape({{2, 3}, In({2}, DType::kI64)}), "f32 NxN");
  EXPECT_EQ(reshape({{1}, In::ints(Ints(9, 1))}),
            "Reshape expects at most 8 dimensions, its output has 9");
}

TEST(InferReshape, SqueezeUnsqueezeFlatten) {
  EXPECT_EQ(infer(Op::kSqueeze, {{1, 3, 1}}), "f32 3");
  EXPECT_EQ(infer(Op::kSqueeze, {{1, N, 1}, In::ints({-1})}), "f32 1xN");
  EXPECT_EQ(infer(Op::kSqueeze, {{2, 1}, In::ints({0})}),
            "Squeeze expects length 1 along axis 0, found 2x1");
  EXPECT_EQ(infer(Op::kSqueeze, {{2, 1}, In({1}, DType::kI64)}),
            "Squeeze needs the value of input 1");
  EXPECT_EQ(infer(Op::kUnsqueeze, {{3, 4}, In::ints({-1, 0})}), "f32 1x3x4x1");
  EXPECT_EQ(infer(Op::kUnsqueeze, {{}, In::ints({0})}), "f32 1");
  EXPECT_EQ(infer(Op::kFlatten, {{N, 3, 4}}), "f32 Nx12");
  EXPECT_EQ(infer(Op::kFlatten, {{2, 3, 4}}, attributes({{Attr::axis, int64_t{0}}})), "f32 1x24");
  EXPECT_EQ(infer(Op::kFlatten, {{2, 0, 4}}, attributes({{Attr::axis, int64_t{-1}}})), "f32 0x4");
  EXPECT_EQ(infer(Op::kFlatten, {{}}, attributes({{Attr::axis, int64_t{0}}})), "f32 1x1");
}

TEST(InferShapeOps, ShapeSizeConstantRange) {
  EXPECT_EQ(infer(Op::kShape, {{N, 3, 4}}), "i64 3");
  EXPECT_EQ(infer(Op::kShape, {{N, 3, 4}},
                  attributes({{Attr::start, int64_t{-2}}, {Attr::end, int64_t{9}}})),
            "i64 2");
  EXPECT_EQ(infer(Op::kShape, {{}}), "i64 0");
  EXPECT_EQ(infer(Op::kSize, {{N, 3}}), "i64 scalar");
  EXPECT_EQ(infer(Op::kConstantOfShape, {In::ints({2, 0})}), "f32 2x0");
  EXPECT_EQ(infer(Op::kConstantOfShape, {In::ints({}), In::ints({7})}), "i64 scalar");
  EXPECT_EQ(infer(Op::kConstantOfShape, {In::ints({-1})}),
            "ConstantOfShape expects dimensions that are not negative, found -1");
  const auto range = [](auto start, auto limit, auto delta) {
    using T = decltype(start);
    return infer(Op::kRange, {In::of<T>({start}), In::of<T>({limit}), In::of<T>({delta})});
  };
  EXPECT_EQ(range(int64_t{0}, int64_t{10}, int64_t{3}), "i64 4");
  EXPECT_EQ(range(int64_t{10}, int64_t{0}, int64_t{-4}), "i64 3");
  EXPECT_EQ(range(int64_t{0}, int64_t{-5}, int64_t{1}), "i64 0");
  EXPECT_EQ(range(kMin, kMax, int64_t{1}), "Range expects less than 2^50 elements");
  EXPECT_EQ(range(kMin, kMax, kMax), "i64 3");
  EXPECT_EQ(range(1.0f, 2.0f, 0.25f), "f32 4");
  EXPECT_EQ(range(0.0f, std::numeric_limits<float>::quiet_NaN(), 1.0f),
            "Range expects finite bounds and less than 10^15 elements");
  EXPECT_EQ(range(int32_t{0}, int32_t{1}, int32_t{0}), "Range expects a delta that is not 0");
  EXPECT_EQ(infer(Op::kRange, {In({}, DType::kI64), In({}, DType::kI64), In({}, DType::kI64)}),
            "i64 N");
}

TEST(InferQuant, ScalesAndContainers) {
  EXPECT_EQ(infer(Op::kQuantizeLinear, {{N, 3}, {}}), "u8 Nx3");
  EXPECT_EQ(infer(Op::kQuantizeLinear, {{N, 3}, {}}, {}, 1, DType::kI16), "i16 Nx3");
  EXPECT_EQ(infer(Op::kQuantizeLinear, {{N, 3}, {3}, In({3}, DType::kI8)}), "i8 Nx3");
  EXPECT_EQ(infer(Op::kQuantizeLinear, {{N, 3}, {4}}),
            "QuantizeLinear expects one scale, or one an index of axis 1 of Nx3, found 4");
  EXPECT_EQ(infer(Op::kQuantizeLinear, {{N, 3}, {3}, In({}, DType::kI8)}),
            "QuantizeLinear expects a zero point shaped like the scale 3, found scalar");
  EXPECT_EQ(infer(Op::kDequantizeLinear, {In({2, 7}, DType::kI8), {2, 2}},
                  attributes({{Attr::block_size, int64_t{4}}})),
            "f32 2x7");
  EXPECT_EQ(infer(Op::kDequantizeLinear, {In({2, 9}, DType::kI8), {2, 2}},
                  attributes({{Attr::block_size, int64_t{4}}})),
            "DequantizeLinear expects one scale a block of 4 along axis 1 of 2x9, found 2x2");
  EXPECT_EQ(infer(Op::kDequantizeLinear, {{2}, {}}),
            "DequantizeLinear expects integer codes as input 0, found f32");
  const In x({N, 8, 8, 3}, DType::kI8), w({16, 3, 3, 3}, DType::kI8), b({16}, DType::kI32), m({16});
  EXPECT_EQ(infer(Op::kQConv, {x, w, b, m}, {}, 1, DType::kI8), "i8 Nx6x6x16");
  EXPECT_EQ(infer(Op::kQConv, {In({2, 9, 4}, DType::kI8), In({5, 3, 4}, DType::kI8), b, m}, {}, 1,
                  DType::kI8),
            "QConv expects a bias of 5 values, found 16");
  EXPECT_EQ(infer(Op::kQConv, {x, w, b, m}),
            "QConv expects an output of integer codes, declared is f32");
  EXPECT_EQ(infer(Op::kQGemm, {In({N, 7, 64}, DType::kI8), In({10, 64}, DType::kI8), b, m}, {}, 1,
                  DType::kI16),
            "i16 Nx7x10");
  EXPECT_EQ(
      infer(Op::kQMatMul, {In({2, 3, 4}, DType::kI8), In({4, 5}, DType::kI8)}, {}, 1, DType::kI8),
      "i8 2x3x5");
  EXPECT_EQ(infer(Op::kQAdd, {In({2, 1}, DType::kI8), In({3}, DType::kI8)}, {}, 1, DType::kI8),
            "i8 2x3");
  EXPECT_EQ(infer(Op::kRequantize, {In({2, 1}, DType::kI16)}, {}, 1, DType::kI8), "i8 2x1");
}

TEST(InferQuant, RowsAndTheirProducts) {
  EXPECT_EQ(infer(Op::kDynamicQuantize, {{N, 7, 64}}, {}, 2), "i8 Nx7x64, f32 Nx7");
  EXPECT_EQ(infer(Op::kDynamicQuantize, {In({}, DType::kF32)}, {}, 2),
            "DynamicQuantize expects 1 to 8 dimensions of input 0, found scalar");
  const In x({N, 7, 100}, DType::kI8), w({40, 100}, DType::kI8), rows({N, 7});
  const Attributes by_32 = attributes({{Attr::block_size, int64_t{32}}});
  EXPECT_EQ(infer(Op::kQGemmReal, {x, w, rows}), "f32 Nx7x40");
  EXPECT_EQ(
      infer(Op::kQGemmReal, {x, w, rows, {2, 4, 32}, In({2, 4, 32}, DType::kU8), {40}}, by_32),
      "f32 Nx7x40");
  EXPECT_EQ(infer(Op::kQGemmReal, {x, w, rows, {2, 3, 32}}, by_32),
            "QGemmReal expects weight scales and zeros of shape 2x4x32, found 2x3x32");
  EXPECT_EQ(infer(Op::kQGemmReal, {x, w, rows, {2, 4, 32}}),
            "QGemmReal expects a block_size of at least 1");
  EXPECT_EQ(infer(Op::kQGemmReal, {x, w, {N, 8}}),
            "QGemmReal expects row scales of shape Nx7, found Nx8");
  EXPECT_EQ(infer(Op::kQGemmReal, {x, w, rows, In::absent(), In::absent(), {41}}),
            "QGemmReal expects a bias of 40 values, found 41");
  EXPECT_EQ(infer(Op::kQGemmReal, {x, In({40, 99}, DType::kI8), rows}),
            "QGemmReal expects rows of 99 codes, found Nx7x100");
}

TEST(InferShapes, NeverWritesOutputsOfAFault) {
  const ShapeInput inputs[] = {{true, DType::kF32, Shape{2}, nullptr},
                               {true, DType::kF32, Shape{3}, nullptr}};
  ShapeOutput outputs[] = {{DType::kI8, Shape{9}}};
  EXPECT_FALSE(infer_shapes(Op::kAdd, {}, inputs, outputs).ok());
  EXPECT_EQ(outputs[0].shape, (Shape{9}));
}

}  // namespace
}  // namespace nibble::model::testing
