#include "quant/pipeline/place_quantizers.h"

#include <gtest/gtest.h>

#include "quant/graph/error.h"
#include "quant/pipeline/layer_schemes.h"
#include "quant/pipeline/testing.h"

namespace nibble::pipeline {
namespace {

using graph::Op;
using graph::ValueId;

recipe::Recipe with_scheme(const std::string& scheme) {
  recipe::Recipe recipe;
  recipe.scheme = scheme;
  return recipe;
}

/// Width of the grid that holds `name`; 0: it stays float.
int bits_of(const Placement& p, const std::string& name) {
  const ValueId id = p.graph.find(name);
  for (const ActivationGrid& grid : p.activations)
    for (ValueId v : grid.values)
      if (v == id) return grid.spec.bits;
  return 0;
}

int weight_bits(const Placement& p, const std::string& node) {
  for (const WeightGrid& w : p.weights)
    if (p.graph.nodes[static_cast<size_t>(w.node)].name == node) return w.spec.bits;
  return 0;
}

/// x -> c1 -> c2 -> pool -> c3 -> (c3 + pool) -> c4 -> mean -> flat -> fc
TestNet residual() {
  TestNet net;
  const ValueId x = net.input({kUnknownDim, 3, 8, 8});
  const ValueId c1 = net.conv("c1", x, 4);
  const ValueId c2 = net.conv("c2", c1, 4);
  graph::Attributes pool;
  pool.set(graph::Attr::kernel_shape, std::vector<int64_t>{2, 2});
  pool.set(graph::Attr::strides, std::vector<int64_t>{2, 2});
  const ValueId p = net.node(Op::kMaxPool, "pool", {c2}, pool);
  const ValueId c3 = net.conv("c3", p, 4);
  const ValueId sum = net.node(Op::kAdd, "sum", {c3, p});
  const ValueId c4 = net.conv("c4", sum, 4);
  const ValueId mean = net.node(Op::kGlobalAveragePool, "mean", {c4});
  const ValueId flat = net.node(Op::kFlatten, "flat", {mean});
  net.g.outputs = {net.gemm("fc", flat, 5)};
  return net;
}

TEST(PlaceQuantizers, EverythingAtEightBits) {
  const TestNet net = residual();
  const Placement p = place_quantizers(net.g, with_scheme("W8A8"));
  for (const char* name : {"x", "c1", "c2", "pool", "c3", "sum", "c4", "mean", "flat", "fc"})
    EXPECT_EQ(bits_of(p, name), 8) << name;
  EXPECT_EQ(p.weights.size(), 5u);
  EXPECT_EQ(p.graph.nodes.size(), net.g.nodes.size());
}

TEST(PlaceQuantizers, NarrowActivationsOnDataInputsAlone) {
  const TestNet net = residual();
  const Placement p = place_quantizers(net.g, with_scheme("W4A4"));
  EXPECT_EQ(bits_of(p, "x"), 8);        // first layer
  EXPECT_EQ(bits_of(p, "c1"), 4);       // read by c2 alone
  EXPECT_EQ(bits_of(p, "pool"), 8);     // read by c3 and by the addition: stored at 8 ...
  EXPECT_EQ(bits_of(p, "c2"), 8);       // (one grid through the pool)
  EXPECT_EQ(bits_of(p, "pool/a4"), 4);  // ... and requantised for c3
  EXPECT_EQ(bits_of(p, "c3"), 8);
  EXPECT_EQ(bits_of(p, "sum"), 8);   // result of an addition
  EXPECT_EQ(bits_of(p, "flat"), 8);  // last layer
  EXPECT_EQ(bits_of(p, "fc"), 8);    // output of the network
  EXPECT_EQ(weight_bits(p, "c1"), 8);
  EXPECT_EQ(weight_bits(p, "c2"), 4);
  EXPECT_EQ(weight_bits(p, "fc"), 8);
  graph::verify(p.graph, graph::Phase::kFloat);
}

TEST(PlaceQuantizers, AMeanHasItsOwnGridAMaximumDoesNot) {
  const Placement p = place_quantizers(residual().g, with_scheme("W8A8"));
  const auto grid_of = [&](const char* name) {
    const ValueId id = p.graph.find(name);
    for (size_t i = 0; i < p.activations.size(); ++i)
      for (ValueId v : p.activations[i].values)
        if (v == id) return i;
    return p.activations.size();
  };
  EXPECT_EQ(grid_of("c2"), grid_of("pool"));
  EXPECT_EQ(grid_of("mean"), grid_of("flat"));
  EXPECT_NE(grid_of("c4"), grid_of("mean"));
}

TEST(PlaceQuantizers, ConcatAlignsInputsThatNobodyElseReads) {
  TestNet net;
  const ValueId x = net.input({kUnknownDim, 3, 8, 8});
  const ValueId a = net.conv("a", x, 4), b = net.conv("b", x, 4);
  graph::Attributes axis;
  axis.set(graph::Attr::axis, int64_t{1});
  const ValueId both = net.node(Op::kConcat, "both", {a, b}, axis);
  const ValueId more = net.node(Op::kAdd, "more", {a, a});
  net.g.outputs = {net.conv("y", both, 2), more};
  const Placement p = place_quantizers(net.g, with_scheme("W8A8"));
  for (const ActivationGrid& grid : p.activations) {
    std::vector<std::string> names;
    for (ValueId v : grid.values) names.push_back(p.graph.value(v).name);
    if (std::find(names.begin(), names.end(), "both") != names.end()) {
      EXPECT_EQ(names, (std::vector<std::string>{"b", "both"}));  // a has another reader
      EXPECT_EQ(p.graph.value(grid.observe).name, "both");
    }
  }
  EXPECT_EQ(bits_of(p, "a"), 8);
}

TEST(PlaceQuantizers, WeightOnlyLeavesActivationsAlone) {
  const Placement p = place_quantizers(residual().g, with_scheme("W4A16"));
  EXPECT_TRUE(p.activations.empty());
  EXPECT_EQ(weight_bits(p, "c1"), 4);  // no layer is special under A16
}

TEST(PlaceQuantizers, SixteenBitIntegersAreSymmetric) {
  const Placement p = place_quantizers(residual().g, with_scheme("W8AI16"));
  for (const ActivationGrid& grid : p.activations) {
    EXPECT_EQ(grid.spec.bits, 16);
    EXPECT_EQ(grid.spec.range, numeric::RangeKind::kRestricted);
  }
}

TEST(PlaceQuantizers, ExcludedNodesAndIslandsStayFloat) {
  const TestNet net = residual();
  recipe::Recipe recipe = with_scheme("W8A8");
  recipe.exclude = {"^c4$"};
  const Placement p = place_quantizers(net.g, recipe);
  EXPECT_EQ(weight_bits(p, "c4"), 0);
  EXPECT_EQ(bits_of(p, "c4"), 0);
  EXPECT_EQ(bits_of(p, "sum"), 8);   // an addition writes codes, whoever reads them
  EXPECT_EQ(bits_of(p, "flat"), 8);  // what fc reads
}

TEST(PlaceQuantizers, ASharedConstantIsCopied) {
  TestNet net;
  const ValueId x = net.input({kUnknownDim, 4, 8, 8});
  const ValueId a = net.conv("a", x, 4);
  const ValueId b = net.conv("b", a, 4);
  net.g.nodes[1].inputs[1] = net.g.nodes[0].inputs[1];
  net.g.outputs = {net.conv("c", b, 4)};
  const Placement p = place_quantizers(net.g, with_scheme("W4A8"));
  EXPECT_NE(p.graph.nodes[0].inputs[1], p.graph.nodes[1].inputs[1]);
  EXPECT_EQ(weight_bits(p, "a"), 8);
  EXPECT_EQ(weight_bits(p, "b"), 4);
}

const WeightGrid& weights_of(const Placement& p, const std::string& node) {
  for (const WeightGrid& w : p.weights)
    if (p.graph.nodes[static_cast<size_t>(w.node)].name == node) return w;
  throw std::runtime_error("no weights of " + node);
}

TEST(PlaceQuantizers, OneBitAndTernaryWeightsHaveGridsOfTheirOwn) {
  using numeric::GridId;
  const TestNet net = residual();
  const auto spec = [&](const char* scheme, const char* node) {
    return weights_of(place_quantizers(net.g, with_scheme(scheme)), node).spec;
  };
  EXPECT_EQ(spec("W1A8", "c2").grid, GridId::kBinary);
  EXPECT_EQ(spec("W1A8", "c2").bits, 1);
  EXPECT_EQ(spec("WTA8", "c2").grid, GridId::kTernary);
  EXPECT_EQ(spec("WTA8", "c2").bits, 2);
  for (const char* scheme : {"W1A8", "WTA8"})
    for (const char* node : {"c1", "fc"}) {
      EXPECT_EQ(spec(scheme, node).grid, GridId::kAffine);  // first and last layer
      EXPECT_EQ(spec(scheme, node).bits, 8);
    }
  EXPECT_EQ(spec("W1A16", "c1").grid, GridId::kBinary);  // no layer is special under A16
  EXPECT_EQ(spec("W1A8_ASYM", "c2").grid, GridId::kAffine);
  EXPECT_EQ(spec("W1A8_ASYM", "c2").range, numeric::RangeKind::kAsymmetric);
  EXPECT_THROW(spec("WTA8_ASYM", "c2"), Error);
}

TEST(PlaceQuantizers, OneBitActivationsOnDataInputsAlone) {
  const Placement p = place_quantizers(residual().g, with_scheme("W1A1"));
  EXPECT_EQ(bits_of(p, "x"), 8);
  EXPECT_EQ(bits_of(p, "c1"), 1);
  EXPECT_EQ(bits_of(p, "pool"), 8);
  EXPECT_EQ(bits_of(p, "pool/a1"), 1);
  EXPECT_EQ(bits_of(p, "sum"), 8);
  EXPECT_EQ(bits_of(p, "sum/a1"), 1);
  EXPECT_EQ(bits_of(p, "flat"), 8);
  EXPECT_EQ(bits_of(p, "fc"), 8);
}

TEST(PlaceQuantizers, AMeanOfNeighboursIsNotTakenOfOneBit) {
  const auto bits = [](const char* scheme, const char* name) {
    TestNet net;
    const ValueId x = net.input({kUnknownDim, 3, 8, 8});
    graph::Attributes pool;
    pool.set(graph::Attr::kernel_shape, std::vector<int64_t>{2, 2});
    const ValueId c1 = net.conv("c1", x, 4);
    const ValueId mean = net.node(Op::kAveragePool, "mean", {c1}, pool);
    const ValueId c2 = net.conv("c2", mean, 4);
    const ValueId largest = net.node(Op::kMaxPool, "largest", {c2}, pool);
    net.g.outputs = {net.conv("y", net.conv("c3", largest, 4), 2)};
    return bits_of(place_quantizers(net.g, with_scheme(scheme)), name);
  };
  EXPECT_EQ(bits("W1A1", "c1"), 8);
  EXPECT_EQ(bits("W1A1", "mean"), 1);
  EXPECT_EQ(bits("W2A2", "c1"), 2);  // one grid through the pool
  EXPECT_EQ(bits("W1A1", "c2"), 1);  // a maximum of signs is a sign
}

TEST(PlaceQuantizers, WeightOnlyLayersQuantiseRowsUnlessAskedToBeExact) {
  const auto dynamic = [](const char* scheme, bool exact, const char* name) {
    recipe::Recipe recipe = with_scheme(scheme);
    recipe.exact = exact;
    const Placement p = place_quantizers(residual().g, recipe);
    for (const graph::Node& node : p.graph.nodes)
      if (node.name == name) return node.attributes.has(graph::Attr::dynamic);
    throw std::runtime_error(std::string("no node ") + name);
  };
  for (const char* node : {"c1", "fc"}) {
    EXPECT_TRUE(dynamic("W4A16", false, node));
    EXPECT_FALSE(dynamic("W4A16", true, node));
    EXPECT_FALSE(dynamic("W4A8", false, node));
  }
  EXPECT_TRUE(dynamic("W8A8G16", false, "fc"));   // block scales have no sum over all of K
  EXPECT_FALSE(dynamic("W8A8G16", false, "c1"));  // 3x3: per channel
  EXPECT_FALSE(dynamic("W8A8G16", true, "fc"));
}

TEST(LayerSchemes, LayerBeatsFirstAndLast) {
  const TestNet net = residual();
  recipe::Recipe recipe = with_scheme("W4A4");
  recipe.layers = {{".", "W2A8"}, {"^c1$", "W3A8"}};
  const auto schemes = layer_schemes(net.g, recipe);
  EXPECT_EQ(schemes[0]->weight_bits, 3);
  EXPECT_EQ(schemes.back()->weight_bits, 2);
}

TEST(LayerSchemes, PatternsMustMatchAndParse) {
  const TestNet net = residual();
  recipe::Recipe nothing = with_scheme("W8A8"), broken = nothing;
  nothing.exclude = {"no such node"};
  broken.exclude = {"("};
  EXPECT_THROW(layer_schemes(net.g, nothing), Error);
  EXPECT_THROW(layer_schemes(net.g, broken), Error);
}

}  // namespace
}  // namespace nibble::pipeline
