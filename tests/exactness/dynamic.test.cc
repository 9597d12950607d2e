#include <algorithm>
#include <array>

#include "net.h"

namespace nibble::exactness {
namespace {

Attributes dynamic() {
  Attributes attributes;
  attributes.set(Attr::dynamic, int64_t{1});
  return attributes;
}

/// Weights of the granularities that weight-only layers have; block 0: by tensor, channel or group.
ValueId weights(Net& net, const Shape& shape, int axis, int block_axis, int64_t block) {
  const int bits = static_cast<int>(net.draw(2, 8));
  const bool symmetric = net.coin();
  if (block == 0)
    return net.weights(shape, axis, bits, symmetric,
                       std::array{Granularity::kTensor, Granularity::kChannel,
                                  Granularity::kGroup}[static_cast<size_t>(net.draw(0, 2))]);
  const ValueId id = net.weights(shape, axis, bits, symmetric, Granularity::kChannel);
  numeric::QuantParams& p = net.g.value(id).quant->params;
  p.granularity = Granularity::kBlock;
  p.block_axis = block_axis;
  p.group = block;
  p.scales.clear();
  p.zero_points.clear();
  for (int64_t i = 0, n = numeric::scale_count(p, shape); i < n; ++i) {
    p.scales.push_back((4 + 0.5f * net.normal()) / static_cast<float>(p.qmax - p.qmin));
    if (!symmetric) p.zero_points.push_back(static_cast<int32_t>(net.draw(p.qmin, p.qmax)));
  }
  return id;
}

int64_t any_block(Net& net) {
  return std::array<int64_t, 6>{0, 16, 32, 64, 128, 1 << 20}[static_cast<size_t>(net.draw(0, 5))];
}

void bounds(Net& net, Attributes& attributes) {
  if (net.coin()) attributes.set(Attr::clip_min, 0.0f);
  if (net.coin()) attributes.set(Attr::clip_max, 2.0f);
}

size_t count(const Graph& g, Op op) {
  return static_cast<size_t>(std::count_if(g.nodes.begin(), g.nodes.end(),
                                           [&](const graph::Node& n) { return n.op == op; }));
}

TEST(Dynamic, GemmAndMatMul) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Net net(seed);
    const int64_t m = net.draw(1, 9), k = net.draw(1, 200), n = net.draw(1, 70);
    const bool gemm = net.coin(), transposed = gemm && net.coin();
    const Shape x_shape = gemm ? Shape{m, k} : Shape{2, m, k};
    const int axis = transposed ? 0 : 1;
    const ValueId x = net.input(x_shape);
    const ValueId w =
        weights(net, transposed ? Shape{n, k} : Shape{k, n}, axis, 1 - axis, any_block(net));
    Attributes attributes = dynamic();
    if (transposed) attributes.set(Attr::transB, int64_t{1});
    bounds(net, attributes);
    std::vector<ValueId> inputs{x, w};
    if (gemm && net.coin())
      inputs.push_back(net.constant(net.normals(net.coin() ? Shape{n} : Shape{1})));
    const ValueId y = net.node(gemm ? Op::kGemm : Op::kMatMul, inputs, attributes);
    if (net.coin()) net.quantise(y, 8, 20);
    net.g.outputs = {y};
    std::vector<Tensor> in;
    in.push_back(net.normals(x_shape));
    expect_exact(net.g, in);
  }
}

TEST(Dynamic, OneQuantiserForAllReadersAndForValuesOnAGrid) {
  Net net(7);
  const ValueId x = net.quantise(net.input({3, 48}), 8, 3);
  const ValueId a = net.node(Op::kMatMul, {x, weights(net, {48, 20}, 1, 0, 16)}, dynamic());
  const ValueId b = net.node(Op::kMatMul, {x, weights(net, {48, 20}, 1, 0, 0)}, dynamic());
  net.g.outputs = {a, b};
  std::vector<Tensor> in;
  in.push_back(net.normals({3, 48}));
  expect_exact(net.g, in);
  const lower::Lowered lowered = lower::lower_to_integer(net.g);
  EXPECT_EQ(count(lowered.graph, Op::kDynamicQuantize), 1u);
  EXPECT_EQ(count(lowered.graph, Op::kQGemmReal), 2u);
}

TEST(Dynamic, PointwiseConvolution) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    Net net(seed);
    const int64_t c = net.draw(1, 70), o = net.draw(1, 40);
    const ValueId x = net.input({2, c, 3, 5});
    const ValueId w = weights(net, {o, c, 1, 1}, 0, 1, any_block(net));
    Attributes attributes = dynamic();
    bounds(net, attributes);
    net.g.outputs = {net.node(Op::kConv, {x, w, net.constant(net.normals({o}))}, attributes)};
    std::vector<Tensor> in;
    in.push_back(net.normals({2, c, 3, 5}));
    expect_exact(net.g, in, 2);  // reals change their layout before and behind it
  }
}

TEST(Dynamic, BinaryAndTernaryWeights) {
  for (bool binary : {true, false}) {
    Net net(3);
    const ValueId x = net.input({4, 100});
    const ValueId w = net.weights({100, 40}, 1, 2, true, Granularity::kChannel);
    numeric::QuantParams& p = net.g.value(w).quant->params;
    p.grid = binary ? numeric::GridId::kBinary : numeric::GridId::kTernary;
    p.bits = binary ? 1 : 2;
    p.range = RangeKind::kRestricted;
    p.qmin = -1, p.qmax = 1;
    net.g.outputs = {net.node(Op::kMatMul, {x, w}, dynamic())};
    std::vector<Tensor> in;
    in.push_back(net.normals({4, 100}));
    expect_exact(net.g, in);
  }
}

TEST(Dynamic, WhatStaysFloatSaysWhy) {
  const auto why = [](auto make) {
    Net net(1);
    make(net);
    const Op op = net.g.nodes[0].op;
    for (const lower::Island& island : lower::lower_to_integer(net.g).islands)
      if (island.op == op) return island.why;
    return std::string("none");
  };
  EXPECT_EQ(why([](Net& net) {
              net.g.outputs = {net.node(
                  Op::kMatMul, {net.input({3, 48}), weights(net, {48, 20}, 1, 0, 24)}, dynamic())};
            }),
            "its scales are by blocks of 24, expected 16, 32 or a multiple of 64");
  EXPECT_EQ(
      why([](Net& net) {
        net.g.outputs = {net.node(
            Op::kConv, {net.input({1, 8, 5, 5}), weights(net, {4, 8, 3, 3}, 0, 1, 0)}, dynamic())};
      }),
      "only 1x1 convolutions take codes with a scale a row");
}

}  // namespace
}  // namespace nibble::exactness
