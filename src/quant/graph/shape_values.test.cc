#include "quant/graph/shape_values.h"

#include <gtest/gtest.h>

namespace nibble::graph {
namespace {

class Net {
 public:
  Graph graph;
  ValueId input(const Shape& shape) {
    graph.inputs.push_back(graph.add_value("x", DType::kF32, shape));
    return graph.inputs.back();
  }
  ValueId list(const std::vector<int64_t>& numbers) {
    return graph.add_constant("c",
                              Tensor::of<int64_t>({static_cast<int64_t>(numbers.size())}, numbers));
  }
  ValueId scalar(int64_t number) {
    return graph.add_constant("c", Tensor::of<int64_t>({}, std::span(&number, 1)));
  }
  ValueId node(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const ValueId out = graph.add_value("v", DType::kF32, {});
    graph.nodes.push_back({op,
                           "n" + std::to_string(graph.nodes.size()),
                           std::move(attributes),
                           std::move(inputs),
                           {out}});
    return out;
  }
  Shape shape_of(ValueId id) {
    graph.outputs = {id};
    graph.infer_shapes();
    return graph.value(id).shape;
  }
};

Attributes axis(int64_t value) {
  Attributes attributes;
  attributes.set(Attr::axis, value);
  return attributes;
}

/// What PyTorch writes for x.view(x.size(0), -1, heads, x.size(2) / heads).
TEST(ShapeValues, ViewWithFreeBatch) {
  Net net;
  const ValueId x = net.input({kUnknownDim, 197, 64});
  const ValueId shape = net.node(Op::kShape, {x});
  const ValueId zero = net.list({0});
  const ValueId n =
      net.node(Op::kUnsqueeze, {net.node(Op::kGather, {shape, net.scalar(0)}, axis(0)), zero});
  const ValueId width = net.node(Op::kGather, {shape, net.scalar(-1)}, axis(0));
  const ValueId each = net.node(Op::kUnsqueeze, {net.node(Op::kDiv, {width, net.scalar(4)}), zero});
  const ValueId target = net.node(Op::kConcat, {n, net.list({197}), net.list({4}), each}, axis(0));
  EXPECT_EQ(net.shape_of(net.node(Op::kReshape, {x, target})), (Shape{kUnknownDim, 197, 4, 16}));
}

TEST(ShapeValues, KnownDimensionsSurviveTwoFreeOnes) {
  Net net;
  const ValueId x = net.input({kUnknownDim, kUnknownDim, 64});
  const ValueId shape = net.node(Op::kShape, {x});
  const ValueId lead = net.node(Op::kSlice, {shape, net.list({0}), net.list({2})});
  const ValueId target = net.node(Op::kConcat, {lead, net.list({4}), net.list({16})}, axis(0));
  EXPECT_EQ(net.shape_of(net.node(Op::kReshape, {x, target})),
            (Shape{kUnknownDim, kUnknownDim, 4, 16}));
}

TEST(ShapeValues, ConstantShapesGiveConstantTargets) {
  Net net;
  const ValueId x = net.input({2, 3, 4});
  const ValueId shape = net.node(Op::kShape, {x});
  const ValueId tail = net.node(Op::kSlice, {shape, net.list({-2}), net.list({INT64_MAX})});
  const ValueId product = net.node(Op::kMul, {net.node(Op::kGather, {tail, net.list({0})}),
                                              net.node(Op::kGather, {tail, net.list({1})})});
  EXPECT_EQ(net.shape_of(net.node(Op::kConstantOfShape, {product})), (Shape{12}));
}

TEST(ShapeValues, FreeDimensionsStayUnknownAndNothingIsGuessed) {
  Net net;
  const ValueId x = net.input({kUnknownDim, 3});
  const ValueId shape = net.node(Op::kShape, {x});
  ShapeValues values(net.graph);
  net.graph.infer_shapes();
  values.evaluate(net.graph.nodes[0]);
  EXPECT_EQ(*values.find(shape), (ShapeValues::Elements{std::nullopt, 3}));
  EXPECT_EQ(values.numbers(shape, false), nullptr);
  EXPECT_EQ(*values.numbers(shape, true), (std::vector<int64_t>{-1, 3}));
  const ValueId sum = net.node(Op::kAdd, {shape, net.list({INT64_MAX})});
  net.graph.infer_shapes();
  values.evaluate(net.graph.nodes[1]);
  EXPECT_EQ(*values.find(sum), (ShapeValues::Elements{std::nullopt, std::nullopt}));  // overflow
}

}  // namespace
}  // namespace nibble::graph
