#include "net.h"

namespace nibble::exactness {
namespace {

ValueId conv(Net& net, ValueId x, int64_t o, int64_t kernel, int64_t stride, int64_t group,
             int bits, float span) {
  const int64_t c = net.g.value(x).shape[1];
  Attributes attributes;
  attributes.set(Attr::group, group);
  attributes.set(Attr::strides, Ints{stride, stride});
  attributes.set(Attr::pads, Ints(4, kernel / 2));
  attributes.set(Attr::clip_min, 0.0f);
  const ValueId w =
      net.weights({o, c / group, kernel, kernel}, 0, bits, true, Granularity::kChannel);
  const ValueId y = net.node(Op::kConv, {x, w, net.constant(net.normals({o}))}, attributes);
  return net.quantise(y, 8, span, true);
}

/// Stem, inverted residual with squeeze-and-excitation, concat, pools, softmax: quantised values,
/// islands and graph edges meet in every order.
void whole_network(RequantiseVariant variant, int bits) {
  Net net(static_cast<unsigned>(bits), variant);
  const Shape image{2, 3, 12, 12};
  // Spans grow about as fast as the sums of the layers before.
  const ValueId x = net.quantise(net.input(image), 8, 3);
  const ValueId stem = conv(net, x, 16, 3, 2, 1, 8, 10);
  const ValueId wide = conv(net, stem, 32, 1, 1, 1, bits, 40);
  const ValueId deep = conv(net, wide, 32, 3, 1, 32, bits, 90);
  const ValueId mean = net.same_grid(net.node(Op::kGlobalAveragePool, {deep}), deep);
  const ValueId squeezed = conv(net, mean, 32, 1, 1, 1, bits, 200);
  const ValueId gate = net.quantise(net.node(Op::kSigmoid, {squeezed}), 8, 1, true);  // island
  const ValueId gated = net.quantise(net.node(Op::kMul, {deep, gate}), 8, 90, true);
  const ValueId narrow = conv(net, gated, 16, 1, 1, 1, bits, 250);
  const ValueId sum = net.quantise(net.node(Op::kAdd, {narrow, stem}), 8, 250, true);
  Attributes pool, axis, softmax;
  pool.set(Attr::kernel_shape, Ints{2, 2});
  pool.set(Attr::strides, Ints{2, 2});
  axis.set(Attr::axis, int64_t{1});
  const ValueId largest = net.same_grid(net.node(Op::kMaxPool, {sum}, pool), sum);
  const ValueId smaller = net.same_grid(net.node(Op::kMaxPool, {stem}, pool), stem);
  const ValueId both = net.quantise(net.node(Op::kConcat, {largest, smaller}, axis), 8, 250, true);
  const ValueId average = net.same_grid(net.node(Op::kGlobalAveragePool, {both}), both);
  const ValueId flat = net.same_grid(net.node(Op::kFlatten, {average}, axis), both);
  const ValueId w = net.weights({10, 32}, 0, 8, true, Granularity::kChannel);
  Attributes rows;
  rows.set(Attr::transB, int64_t{1});
  const ValueId logits = net.quantise(
      net.node(Op::kGemm, {flat, w, net.constant(net.normals({10}))}, rows), 8, 500, true);
  softmax.set(Attr::axis, int64_t{-1});
  const ValueId probabilities = net.node(Op::kSoftmax, {logits}, softmax);  // island
  net.g.outputs = {logits, probabilities, sum};
  std::vector<Tensor> data;
  data.push_back(net.normals(image));
  const auto out = expect_exact(net.g, data, 2);
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(out[2].shape(), (Shape{2, 16, 6, 6}));  // the order of the source, not channels last
  EXPECT_GT(distinct(out[2]), 20u);
}

TEST(Network, IntegerEqualsSimulation) {
  for (const RequantiseVariant variant : {RequantiseVariant::kFloat, RequantiseVariant::kFixed})
    for (int bits : {2, 4, 8}) whole_network(variant, bits);
}

/// Block scales, or a result without a grid, leave a layer in float; its weights stay codes.
TEST(Network, AnIslandReadsDequantisedWeights) {
  Net net(5);
  const ValueId x = net.quantise(net.input({3, 40}), 8, 3);
  const ValueId w = net.constant(net.normals({40, 12}));
  numeric::QuantParams p{.bits = 4, .range = RangeKind::kFull, .qmin = -8, .qmax = 7};
  p.granularity = Granularity::kBlock;
  p.axis = 1;
  p.block_axis = 0;
  p.group = 16;
  for (int64_t i = 0, n = numeric::scale_count(p, {40, 12}); i < n; ++i)
    p.scales.push_back(0.3f + 0.01f * static_cast<float>(i));
  net.g.value(w).quant = graph::QuantInfo{p, "test"};
  const ValueId y = net.quantise(net.node(Op::kMatMul, {x, w}), 8, 12);
  net.g.outputs = {y};
  std::vector<Tensor> data;
  data.push_back(net.normals({3, 40}));
  const auto out = expect_exact(net.g, data, 1);
  ASSERT_FALSE(out.empty());
  EXPECT_GT(distinct(out[0]), 10u);
}

}  // namespace
}  // namespace nibble::exactness
