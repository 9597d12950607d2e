#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "quant/lower/layout.h"
#include "quant/lower/lower.h"

namespace nibble::lower {
namespace {

using graph::Attr;
using graph::Attributes;
using graph::Graph;
using graph::Op;
using graph::ValueId;
using Ints = std::vector<int64_t>;
using Names = std::vector<std::string>;

struct Net {
  Graph g;
  ValueId input(const Shape& shape) {
    g.inputs.push_back(g.add_value("x", DType::kF32, shape));
    return g.inputs.back();
  }
  ValueId counting(const Shape& shape) {  // 0, 1, 2, ...
    Tensor t(DType::kF32, shape);
    std::iota(t.span<float>().begin(), t.span<float>().end(), 0.0f);
    return g.add_constant("c", std::move(t));
  }
  ValueId integers(const Ints& v) {
    return g.add_constant("i", Tensor::of<int64_t>({static_cast<int64_t>(v.size())}, std::span(v)));
  }
  ValueId node(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    g.nodes.push_back({op,
                       std::string(model::name_of(op)) + std::to_string(g.nodes.size()),
                       std::move(attributes),
                       std::move(inputs),
                       {g.add_value("t", DType::kF32, {})}});
    g.infer_shapes();
    return g.nodes.back().outputs[0];
  }
  ValueId conv(ValueId x, int64_t filters) {
    return node(Op::kConv, {x, counting({filters, g.value(x).shape[1], 3, 3})});
  }
};

Attributes ints(Attr key, Ints value) {
  Attributes a;
  a.set(key, std::move(value));
  return a;
}
Attributes integer(Attr key, int64_t value) {
  Attributes a;
  a.set(key, value);
  return a;
}

Names ops(const Graph& g) {
  Names names;
  for (const graph::Node& n : g.nodes) names.emplace_back(model::name_of(n.op));
  return names;
}

Graph checked(const Graph& source) {
  const Graph g = channels_last(source);
  graph::verify(g, source.phase);
  Graph again = g;  // shapes agree with what inference says of the new graph
  again.infer_shapes();
  for (size_t i = 0; i < g.values.size(); ++i)
    EXPECT_EQ(g.values[i].shape, again.values[i].shape) << g.values[i].name;
  for (size_t i = 0; i < g.outputs.size(); ++i) {
    EXPECT_EQ(g.value(g.outputs[i]).shape, source.value(source.outputs[i]).shape);
    EXPECT_EQ(g.value(g.outputs[i]).name, source.value(source.outputs[i]).name);
  }
  EXPECT_THAT(ops(channels_last(g)), testing::UnorderedElementsAreArray(ops(g)));  // idempotent
  return g;
}

TEST(Permute, MovesElementsAndGrids) {
  Tensor t(DType::kI16, {2, 3, 4});
  std::iota(t.span<int16_t>().begin(), t.span<int16_t>().end(), int16_t{0});
  const Tensor moved = permute(t, {2, 0, 1});
  ASSERT_EQ(moved.shape(), (Shape{4, 2, 3}));
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 3; ++b)
      for (int c = 0; c < 4; ++c)
        EXPECT_EQ(moved.span<int16_t>()[(c * 2 + a) * 3 + b], (a * 3 + b) * 4 + c);
  EXPECT_EQ(permute(Tensor(DType::kF32, {0, 3}), {1, 0}).shape(), (Shape{3, 0}));
  numeric::QuantParams p;
  p.granularity = numeric::Granularity::kBlock;
  p.axis = 0;
  p.block_axis = 1;
  EXPECT_EQ(permute(p, last(4)).block_axis, 3);
  EXPECT_EQ(permute(p, last(4)).axis, 0);
}

TEST(ChannelsLast, AChainHasTwoTransposes) {
  Net net;
  ValueId x = net.input({graph::ValueId{1}, 3, 9, 8});
  x = net.conv(x, 4);
  x = net.node(Op::kAdd, {x, net.counting({4, 1, 1})});
  x = net.node(Op::kPad, {x, net.integers({0, 1, 2, 0, 0, 0, 0, 3})});
  x = net.node(Op::kSlice, {x, net.integers({1, 0}), net.integers({6, 4}), net.integers({-1, 1})});
  x = net.node(Op::kConcat, {x, x}, integer(Attr::axis, 1));
  x = net.node(Op::kSoftmax, {x}, integer(Attr::axis, 1));
  x = net.node(Op::kRelu, {x});
  net.g.outputs = {x};
  const Graph g = checked(net.g);
  EXPECT_EQ(ops(g), (Names{"Transpose", "Conv", "Add", "Pad", "Slice", "Concat", "Softmax", "Relu",
                           "Transpose"}));
  EXPECT_EQ(g.value(g.nodes[1].inputs[1]).shape, (Shape{4, 3, 3, 3}));
  EXPECT_EQ(g.value(g.nodes[1].outputs[0]).shape, (Shape{1, 7, 6, 4}));
  EXPECT_EQ(g.value(g.nodes[2].inputs[1]).shape, (Shape{1, 1, 1, 4}));
  EXPECT_EQ(g.nodes[5].attributes.get_int(Attr::axis, 0), 3);
  EXPECT_EQ(g.nodes[6].attributes.get_int(Attr::axis, 0), 3);
}

TEST(ChannelsLast, TransposesCancel) {  // a graph that was channels last before its export
  Net net;
  ValueId x = net.node(Op::kTranspose, {net.input({1, 9, 8, 3})}, ints(Attr::perm, {0, 3, 1, 2}));
  x = net.node(Op::kTranspose, {net.conv(x, 4)}, ints(Attr::perm, {0, 2, 3, 1}));
  x = net.node(Op::kExp, {x});
  net.g.outputs = {x};
  EXPECT_EQ(ops(checked(net.g)), (Names{"Conv", "Exp"}));
}

TEST(ChannelsLast, BothNamesOfAVanishedTransposeStay) {
  Net net;
  const ValueId x = net.input({1, 9, 8, 3});
  const ValueId y = net.node(Op::kTranspose, {x}, ints(Attr::perm, {0, 1, 2, 3}));
  net.g.outputs = {y, net.node(Op::kNeg, {y})};
  EXPECT_EQ(ops(checked(net.g)), (Names{"Neg", "Identity"}));
}

TEST(ChannelsLast, OnePixelIsAReshape) {
  Net net;
  ValueId x = net.input({kUnknownDim, 3, 9, 8});
  x = net.node(Op::kGlobalAveragePool, {net.conv(x, 4)});
  net.g.outputs = {net.node(Op::kFlatten, {x}, integer(Attr::axis, 1))};
  EXPECT_EQ(ops(checked(net.g)),
            (Names{"Transpose", "Conv", "GlobalAveragePool", "Reshape", "Flatten"}));
}

TEST(ChannelsLast, ReductionsDropAxesWhereTheOrderAllows) {
  for (const bool keep : {false, true}) {
    Net net;
    Attributes keepdims = integer(Attr::keepdims, keep);
    const ValueId x = net.conv(net.input({1, 3, 9, 8}), 4);
    const ValueId spatial = net.node(Op::kReduceMean, {x, net.integers({2, -1})}, keepdims);
    const ValueId channel = net.node(Op::kReduceMax, {x, net.integers({1})}, keepdims);
    const ValueId height = net.node(Op::kReduceSum, {x, net.integers({2})}, keepdims);
    const ValueId best = net.node(Op::kArgMax, {x}, [&] {
      Attributes a = integer(Attr::axis, 1);
      a.set(Attr::keepdims, int64_t{keep});
      return a;
    }());
    net.g.outputs = {spatial, channel, height, best};
    checked(net.g);
  }
}

TEST(ChannelsLast, ShapeReadsWithoutATranspose) {
  Net net;
  const ValueId x = net.conv(net.input({kUnknownDim, 3, 9, 8}), 4);
  const ValueId dims = net.g.add_value("dims", DType::kI64, {4});
  net.g.nodes.push_back({Op::kShape, "shape", {}, {x}, {dims}});
  net.g.outputs = {dims};
  EXPECT_EQ(ops(checked(net.g)), (Names{"Transpose", "Conv", "Shape", "Gather"}));
}

TEST(ChannelsLast, OtherOrdersAreRestored) {
  Net net;
  const ValueId x = net.conv(net.input({1, 3, 9, 8}), 4);
  const ValueId tokens = net.node(Op::kReshape, {x, net.integers({1, 4, -1})});
  const ValueId rows = net.node(Op::kTranspose, {tokens}, ints(Attr::perm, {0, 2, 1}));
  net.g.outputs = {net.node(Op::kMatMul, {rows, net.counting({4, 2})})};
  EXPECT_EQ(ops(checked(net.g)),
            (Names{"Transpose", "Conv", "Transpose", "Reshape", "Transpose", "MatMul"}));
}

TEST(ChannelsLast, OneAndThreeAxes) {
  for (const Shape& image : {Shape{2, 3, 9}, Shape{2, 3, 5, 6, 7}}) {
    Net net;
    Shape filter{4, 3};
    while (filter.rank() < image.rank()) filter.push_back(2);
    const ValueId y = net.node(Op::kConv, {net.input(image), net.counting(filter)});
    net.g.outputs = {net.node(Op::kBatchNormalization, {y, net.counting({4}), net.counting({4}),
                                                        net.counting({4}), net.counting({4})})};
    EXPECT_EQ(ops(checked(net.g)), (Names{"Transpose", "Conv", "BatchNormalization", "Transpose"}));
  }
}

}  // namespace
}  // namespace nibble::lower
