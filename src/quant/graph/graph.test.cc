#include "quant/graph/graph.h"

#include <gtest/gtest.h>

#include "quant/graph/error.h"

namespace nibble::graph {
namespace {

/// x -> Relu "r" -> a -> Neg "n" -> y
Graph chain() {
  Graph g;
  const ValueId x = g.add_value("x", DType::kF32, {kUnknownDim, 4});
  const ValueId a = g.add_value("a", DType::kF32, {kUnknownDim, 4});
  const ValueId y = g.add_value("y", DType::kF32, {kUnknownDim, 4});
  g.nodes.push_back({Op::kRelu, "r", {}, {x}, {a}});
  g.nodes.push_back({Op::kNeg, "n", {}, {a}, {y}});
  g.inputs = {x};
  g.outputs = {y};
  return g;
}

TEST(Graph, TakenNamesGetASuffix) {
  Graph g;
  g.add_value("x", DType::kF32, {1});
  EXPECT_EQ(g.value(g.add_value("x", DType::kF32, {1})).name, "x_1");
  EXPECT_EQ(g.value(g.add_value("x", DType::kF32, {1})).name, "x_2");
  EXPECT_THROW(g.rename(0, "x_1"), Error);
  g.rename(0, "z");
  EXPECT_EQ(g.find("x"), kNoValue);
  EXPECT_EQ(g.find("z"), 0);
}

TEST(Graph, DeadNodesGoInChains) {
  Graph g = chain();
  const ValueId d1 = g.add_value("d1", DType::kF32, {kUnknownDim, 4});
  const ValueId d2 = g.add_value("d2", DType::kF32, {kUnknownDim, 4});
  g.nodes.push_back({Op::kExp, "e1", {}, {g.inputs[0]}, {d1}});
  g.nodes.push_back({Op::kExp, "e2", {}, {d1}, {d2}});
  EXPECT_EQ(g.remove_dead_nodes(), 2);
  EXPECT_EQ(g.nodes.size(), 2u);
  EXPECT_EQ(g.remove_dead_nodes(), 0);
}

TEST(Graph, SortsAndRefusesCycles) {
  Graph g = chain();
  std::swap(g.nodes[0], g.nodes[1]);
  EXPECT_THROW(verify(g, Phase::kFloat), Error);
  g.sort_nodes();
  EXPECT_EQ(g.nodes[0].name, "r");
  verify(g, Phase::kFloat);
  g.nodes[0].inputs[0] = g.nodes[1].outputs[0];
  EXPECT_THROW(g.sort_nodes(), Error);
}

TEST(Graph, InfersShapesThroughASymbolicBatch) {
  Graph g = chain();
  g.value(g.outputs[0]).shape = Shape{};
  g.infer_shapes();
  EXPECT_EQ(g.value(g.outputs[0]).shape, (Shape{kUnknownDim, 4}));
}

TEST(Verify, RefusesWhatBreaksTheRules) {
  Graph g = chain();
  g.nodes[0].inputs.clear();
  EXPECT_THROW(verify(g, Phase::kFloat), Error);
  g = chain();
  g.nodes[1].name = "r";
  EXPECT_THROW(verify(g, Phase::kFloat), Error);
  g = chain();
  g.value(1).quant = QuantInfo{{.scales = {0.5f}}, "test"};
  EXPECT_THROW(verify(g, Phase::kFloat), Error);
  verify(g, Phase::kAnnotated);
  g.value(1).quant->params.scales = {0.5f, 0.5f};
  EXPECT_THROW(verify(g, Phase::kAnnotated), Error);
}

TEST(Uses, ListsAReaderOnce) {
  Graph g = chain();
  g.nodes[1] = {Op::kAdd, "sum", {}, {1, 1}, {2}};
  const Uses uses(g);
  EXPECT_EQ(uses.readers[1], std::vector<int>{1});
  EXPECT_EQ(uses.producer[2], 1);
  EXPECT_TRUE(uses.is_output[2]);
}

}  // namespace
}  // namespace nibble::graph
