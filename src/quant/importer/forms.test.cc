// Every op has one form, whatever opset wrote it.

#include <gtest/gtest.h>

#include "quant/importer/testing.h"

namespace nibble::importer {
namespace {

using graph::Attr;
using graph::Graph;
using graph::kNoValue;
using graph::Op;
using onnx::ElementType;
using testing::ModelBuilder;

template <class T>
std::vector<T> constant(const Graph& graph, size_t node, size_t input) {
  const auto& inputs = graph.nodes[node].inputs;
  if (input >= inputs.size() || inputs[input] == kNoValue) return {};
  const auto span = graph.value(inputs[input]).constant->span<T>();
  return {span.begin(), span.end()};
}

const Shape& output_shape(const Graph& graph) {
  return graph.value(graph.outputs[0]).shape;
}

TEST(Forms, SliceAttributesBecomeInputs) {
  ModelBuilder m(9);
  m.input("x", {4, 6}).output("y");
  auto& node = m.node("Slice", {"x"}, {"y"});
  ModelBuilder::set_list(node, "starts", {1, -2});
  ModelBuilder::set_list(node, "ends", {3, 9});
  ModelBuilder::set_list(node, "axes", {0, 1});
  const Graph g = m.import();
  EXPECT_EQ(constant<int64_t>(g, 0, 1), (std::vector<int64_t>{1, -2}));
  EXPECT_EQ(constant<int64_t>(g, 0, 3), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(output_shape(g), (Shape{2, 2}));
}

TEST(Forms, PadClipAndSqueezeAttributesBecomeInputs) {
  ModelBuilder m(10);
  m.input("x", {-1, 2}).output("y");
  auto& pad = m.node("Pad", {"x"}, {"p"});
  ModelBuilder::set_list(pad, "pads", {0, 1, 0, 2});
  ModelBuilder::set(pad, "value", 1.5f);
  auto& clip = m.node("Clip", {"p"}, {"c"});
  ModelBuilder::set(clip, "max", 6.0f);
  auto& unsqueeze = m.node("Unsqueeze", {"c"}, {"u"});
  ModelBuilder::set_list(unsqueeze, "axes", {1});
  auto& mean = m.node("ReduceMean", {"u"}, {"y"});
  ModelBuilder::set_list(mean, "axes", {-1});
  const Graph g = m.import();
  EXPECT_EQ(constant<int64_t>(g, 0, 1), (std::vector<int64_t>{0, 1, 0, 2}));
  EXPECT_EQ(constant<float>(g, 0, 2), (std::vector<float>{1.5f}));
  EXPECT_EQ(g.nodes[1].inputs[1], kNoValue);
  EXPECT_EQ(constant<float>(g, 1, 2), (std::vector<float>{6.0f}));
  EXPECT_EQ(constant<int64_t>(g, 2, 1), (std::vector<int64_t>{1}));
  EXPECT_EQ(output_shape(g), (Shape{kUnknownDim, 1, 1}));
}

TEST(Forms, OldSoftmaxFlattens) {
  ModelBuilder old(12), current(13);
  for (ModelBuilder* m : {&old, &current}) {
    m->input("x", {2, 3, 4}).output("y");
    m->node("Softmax", {"x"}, {"y"});
  }
  const Graph a = old.import(), b = current.import();
  EXPECT_EQ(a.nodes[0].attributes.get_int(Attr::flatten_from_axis, 0), 1);
  EXPECT_EQ(a.nodes[0].attributes.get_int(Attr::axis, -1), 1);
  EXPECT_FALSE(b.nodes[0].attributes.has(Attr::flatten_from_axis));
}

TEST(Forms, UpsampleIsResize) {
  ModelBuilder m(9);
  m.input("x", {1, 1, 2, 3}).output("y");
  m.floats("scales", {4}, {1, 1, 2, 2});
  m.node("Upsample", {"x", "scales"}, {"y"});
  const Graph g = m.import();
  EXPECT_EQ(g.nodes[0].op, Op::kResize);
  EXPECT_EQ(g.nodes[0].inputs.size(), 3u);
  EXPECT_EQ(g.nodes[0].attributes.get_string(Attr::coordinate_transformation_mode, ""),
            "asymmetric");
  EXPECT_EQ(output_shape(g), (Shape{1, 1, 4, 6}));
}

TEST(Forms, DropoutIsIdentityAndUnusedOutputsGo) {
  ModelBuilder m(12);
  m.input("x", {2}).output("y");
  m.floats("ratio", {}, {0.5f});
  m.node("Dropout", {"x", "ratio"}, {"y", "mask"});
  const Graph g = m.import();
  EXPECT_EQ(g.nodes[0].op, Op::kIdentity);
  EXPECT_EQ(g.nodes[0].inputs.size(), 1u);
  EXPECT_EQ(g.nodes[0].outputs.size(), 1u);
  m.output("mask");
  EXPECT_EQ(m.error(), "node 'Dropout_0': Dropout: its mask is read; only inference is supported");
}

TEST(Forms, ConstantNodesInEveryKind) {
  ModelBuilder m(13);
  m.output("y");
  auto& a = m.node("Constant", {}, {"a"});
  auto& list = ModelBuilder::attribute(a, "value_floats", onnx::AttributeProto::FLOATS);
  list.add_floats(1);
  list.add_floats(2);
  ModelBuilder::set(m.node("Constant", {}, {"b"}), "value_float", 3.0f);
  auto& c = m.node("Constant", {}, {"c"});
  auto& tensor = *ModelBuilder::attribute(c, "value", onnx::AttributeProto::TENSOR).mutable_t();
  ModelBuilder::fill(tensor, "", {2}, ElementType::kFloat);
  tensor.add_float_data(5);
  tensor.add_float_data(6);
  ModelBuilder::set_list(m.node("Constant", {}, {"axes"}), "value_ints", {0});
  m.node("Sum", {"a", "b", "c"}, {"s"}, "sum");
  m.node("Unsqueeze", {"s", "axes"}, {"y"});
  const Graph g = m.import();
  ASSERT_EQ(g.nodes.size(), 3u);  // two additions
  EXPECT_EQ(g.nodes[0].op, Op::kAdd);
  EXPECT_EQ(g.nodes[1].name, "sum");
  EXPECT_EQ(constant<float>(g, 1, 1), (std::vector<float>{5, 6}));
  EXPECT_EQ(output_shape(g), (Shape{1, 2}));
}

TEST(Forms, NamesAreUniqueAndGivenOnesKeepTheirSpelling) {
  ModelBuilder m;
  m.input("x", {2}).output("d");
  m.node("Relu", {"x"}, {"a"});
  m.node("Relu", {"a"}, {"b"}, "same");
  m.node("Relu", {"b"}, {"c"}, "same");
  m.node("Relu", {"c"}, {"d"}, "Relu_0");
  const Graph g = m.import();
  EXPECT_EQ(g.nodes[0].name, "Relu_0_1");
  EXPECT_EQ(g.nodes[1].name, "same");
  EXPECT_EQ(g.nodes[2].name, "same_1");
  EXPECT_EQ(g.nodes[3].name, "Relu_0");
}

TEST(Forms, InitialisersThatAreInputsToo) {
  ModelBuilder m(7);
  m.input("x", {2}).input("w", {2}).output("y");
  m.floats("w", {2}, {1, 2});
  m.node("Add", {"x", "w"}, {"y"});
  const Graph g = m.import();
  EXPECT_EQ(g.inputs.size(), 1u);
  EXPECT_EQ(constant<float>(g, 0, 1), (std::vector<float>{1, 2}));
}

TEST(Forms, NodesOutOfOrderAreSorted) {
  ModelBuilder m;
  m.input("x", {2}).output("y");
  m.node("Relu", {"a"}, {"y"}, "second");
  m.node("Neg", {"x"}, {"a"}, "first");
  const Graph g = m.import();
  EXPECT_EQ(g.nodes[0].name, "first");
}

TEST(Forms, ConstantOfShapeAndCast) {
  ModelBuilder m;
  m.input("s", {2}, ElementType::kInt64).output("y");
  auto& fill = m.node("ConstantOfShape", {"s"}, {"c"});
  auto& tensor = *ModelBuilder::attribute(fill, "value", onnx::AttributeProto::TENSOR).mutable_t();
  ModelBuilder::fill(tensor, "", {1}, ElementType::kInt32);
  tensor.add_int32_data(7);
  auto& cast = m.node("Cast", {"c"}, {"y"});
  ModelBuilder::set(cast, "to", static_cast<int64_t>(ElementType::kFloat16));
  const Graph g = m.import();
  EXPECT_EQ(constant<int32_t>(g, 0, 1), (std::vector<int32_t>{7}));
  EXPECT_EQ(g.nodes[1].attributes.get_int(Attr::to, 0), static_cast<int64_t>(DType::kF32));
  EXPECT_EQ(g.value(g.outputs[0]).dtype, DType::kF32);
}

}  // namespace
}  // namespace nibble::importer
