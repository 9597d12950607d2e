// A sum behind a product leaves the product's output stage: the same bytes, one node less.

#include "net.h"

namespace nibble::exactness {
namespace {

int count(const Graph& graph, Op op) {
  return static_cast<int>(std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                        [&](const graph::Node& n) { return n.op == op; }));
}

ValueId conv(Net& net, ValueId x, int64_t o, int64_t group, int bits) {
  const int64_t c = net.g.value(x).shape[1];
  Attributes attributes;
  attributes.set(Attr::group, group);
  attributes.set(Attr::pads, Ints(4, 1));
  const ValueId w = net.weights({o, c / group, 3, 3}, 0, bits, true, Granularity::kChannel);
  const ValueId y = net.node(Op::kConv, {x, w, net.constant(net.normals({o}))}, attributes);
  return net.quantise(y, 8, 30);
}

ValueId sum(Net& net, ValueId a, ValueId b) {
  Attributes relu;
  if (net.coin()) relu.set(Attr::clip_min, 0.0f);
  return net.quantise(net.node(Op::kAdd, {a, b}, relu), 8, 40);
}

struct Case {
  Net net;
  ValueId x;
  explicit Case(unsigned seed, RequantiseVariant variant = RequantiseVariant::kFloat)
      : net(seed, variant), x(net.quantise(net.input({2, 20, 5, 6}), 8, 3)) {}
  /// Runs it both ways; the integer graph has so many sums left.
  void expect(ValueId output, int sums) {
    net.g.outputs.push_back(output);
    std::vector<Tensor> data;
    data.push_back(net.normals({2, 20, 5, 6}));
    const auto out = expect_exact(net.g, data);
    ASSERT_FALSE(out.empty());
    EXPECT_GT(distinct(out.back()), 20u);
    EXPECT_EQ(count(lower::lower_to_integer(net.g).graph, Op::kQAdd), sums);
  }
};

TEST(Residual, SumsMoveIntoTheProductBeforeThem) {
  for (unsigned seed = 0; seed < 8; ++seed)
    for (int bits : {8, 4, 2}) {
      Case c(seed);
      const ValueId y = conv(c.net, c.x, 20, 1, bits);
      c.expect(seed % 2 ? sum(c.net, y, c.x) : sum(c.net, c.x, y), 0);
    }
}

TEST(Residual, OfTwoProductsTheLaterTakesTheSum) {
  Case c(20);
  const ValueId a = conv(c.net, c.x, 30, 1, 8), b = conv(c.net, c.x, 30, 1, 8);
  c.expect(sum(c.net, a, b), 0);
}

TEST(Residual, ChainsOfSums) {
  Case c(21);
  const ValueId a = sum(c.net, conv(c.net, c.x, 20, 1, 4), c.x);
  c.expect(sum(c.net, a, conv(c.net, a, 20, 1, 4)), 0);
}

TEST(Residual, AProductThatOthersReadKeepsItsResult) {
  Case c(26);
  const ValueId y = conv(c.net, c.x, 20, 1, 8);
  c.net.g.outputs.push_back(y);
  c.expect(sum(c.net, y, c.x), 1);
}

TEST(Residual, OutputStagesWithoutResidualsKeepTheSum) {
  for (int64_t group : {2, 20}) {  // groups; one filter a channel
    Case c(23);
    c.expect(sum(c.net, conv(c.net, c.x, 20, group, 8), c.x), 1);
  }
  Case fixed(24, RequantiseVariant::kFixed);
  fixed.expect(sum(fixed.net, conv(fixed.net, fixed.x, 20, 1, 8), fixed.x), 1);
}

}  // namespace
}  // namespace nibble::exactness
