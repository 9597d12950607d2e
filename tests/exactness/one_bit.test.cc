// Weights of one bit and three values, activations of one bit: integers give the simulation's
// bytes.

#include <cmath>

#include "net.h"

namespace nibble::exactness {
namespace {

using numeric::GridId;

numeric::QuantParams small(GridId grid) {
  numeric::QuantParams p;
  p.grid = grid;
  p.bits = grid == GridId::kBinary ? 1 : 2;
  p.qmin = -1;
  p.qmax = 1;
  return p;
}

ValueId small_weights(Net& net, const Shape& shape, int axis, GridId grid,
                      Granularity granularity) {
  const ValueId id = net.constant(net.normals(shape));
  numeric::QuantParams p = small(grid);
  p.granularity = granularity;
  p.axis = axis;
  p.group = granularity == Granularity::kGroup ? 3 : 0;
  for (int64_t i = 0, n = numeric::scale_count(p, shape); i < n; ++i)
    p.scales.push_back(0.8f + 0.1f * net.normal());
  net.g.value(id).quant = graph::QuantInfo{p, "test"};
  return id;
}

/// A one-bit activation: {0, 1} with zero at either end, or {-1, +1}.
ValueId one_bit(Net& net, ValueId id, float scale) {
  const int64_t kind = net.draw(0, 3);
  if (kind < 2) {
    numeric::QuantParams p = small(GridId::kBinary);
    p.scales = {scale};
    net.g.value(id).quant = graph::QuantInfo{p, "test"};
    return id;
  }
  net.quantise(id, 1, scale / 2);
  net.g.value(id).quant->params.zero_points = {static_cast<int32_t>(kind - 2)};
  return id;
}

ValueId activation(Net& net, ValueId id, float span) {
  return net.coin() ? one_bit(net, id, span / 3)
                    : net.quantise(id, static_cast<int>(net.draw(2, 8)), span, net.coin());
}

GridId draw_grid(Net& net) {
  return net.coin() ? GridId::kBinary : GridId::kTernary;
}

Granularity draw_granularity(Net& net) {
  const int64_t i = net.draw(0, 2);
  return i == 0 ? Granularity::kTensor : i == 1 ? Granularity::kChannel : Granularity::kGroup;
}

void maybe_clip(Net& net, Attributes& attributes, float span) {
  if (net.draw(0, 3) == 0) attributes.set(Attr::clip_min, net.coin() ? 0.0f : -0.3f * span);
  if (net.draw(0, 3) == 0) attributes.set(Attr::clip_max, net.coin() ? -0.1f : 0.3f * span);
}

class OneBit : public testing::TestWithParam<RequantiseVariant> {};

TEST_P(OneBit, Convolutions) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    Net net(seed, GetParam());
    const bool depthwise = net.coin();
    const int64_t groups = depthwise ? net.draw(2, 40) : net.draw(1, 3);
    const int64_t c = depthwise ? 1 : net.draw(1, 9), o = groups * (depthwise ? 1 : net.draw(1, 6));
    const Shape image{net.draw(1, 2), groups * c, net.draw(3, 8), net.draw(3, 8)};
    const Shape filter{o, c, net.draw(1, 3), net.draw(1, 3)};
    Attributes attributes;
    attributes.set(Attr::group, groups);
    attributes.set(Attr::pads,
                   Ints{net.draw(0, 2), net.draw(0, 2), net.draw(0, 2), net.draw(0, 2)});
    attributes.set(Attr::strides, Ints{net.draw(1, 2), net.draw(1, 2)});
    const float span = 2 * std::sqrt(static_cast<float>(filter.size() / o));
    maybe_clip(net, attributes, span);
    const ValueId x = activation(net, net.input(image), 3);
    const ValueId w = small_weights(net, filter, 0, draw_grid(net), draw_granularity(net));
    std::vector<ValueId> inputs{x, w};
    if (net.coin()) inputs.push_back(net.constant(net.normals({o})));
    net.g.outputs = {activation(net, net.node(Op::kConv, inputs, attributes), span)};
    std::vector<Tensor> data;
    data.push_back(net.normals(image, 1.5f));
    expect_exact(net.g, data);
  }
}

TEST_P(OneBit, Matrices) {
  for (unsigned seed = 0; seed < 80; ++seed) {
    SCOPED_TRACE(seed);
    Net net(seed, GetParam());
    const int64_t m = net.draw(1, 5), k = net.draw(1, 140), n = net.draw(1, 70);
    const bool by_row = net.coin();
    const ValueId x = activation(net, net.input({m, k}), 3);
    const ValueId w = small_weights(net, by_row ? Shape{n, k} : Shape{k, n}, by_row ? 0 : 1,
                                    draw_grid(net), draw_granularity(net));
    Attributes attributes;
    if (by_row) attributes.set(Attr::transB, int64_t{1});
    const ValueId y = net.node(by_row ? Op::kGemm : Op::kMatMul, {x, w}, attributes);
    net.g.outputs = {activation(net, y, 2 * std::sqrt(static_cast<float>(k)))};
    std::vector<Tensor> data;
    data.push_back(net.normals({m, k}));
    expect_exact(net.g, data);
  }
}

/// Sums that are exactly 0, all of them ties of the sign, and images smaller than their padding.
TEST_P(OneBit, ZeroSumsArePositive) {
  Net net(1, GetParam());
  const ValueId x = net.input({1, 2, 3, 3});
  numeric::QuantParams p = small(GridId::kBinary);
  p.scales = {0.5f};
  net.g.value(x).quant = graph::QuantInfo{p, "test"};
  Tensor weights(DType::kF32, {1, 2, 3, 3});
  for (size_t i = 0; i < 18; ++i) weights.span<float>()[i] = i < 9 ? 1 : -1;
  const ValueId w = net.constant(std::move(weights));
  net.g.value(w).quant = graph::QuantInfo{p, "test"};
  Attributes attributes;
  attributes.set(Attr::pads, Ints{1, 1, 1, 1});
  const ValueId y = net.node(Op::kConv, {x, w}, attributes);
  net.g.value(y).quant = graph::QuantInfo{p, "test"};
  net.g.outputs = {y};
  std::vector<Tensor> data;
  Tensor& ones = data.emplace_back(DType::kF32, Shape{1, 2, 3, 3});
  for (float& v : ones.span<float>()) v = 1;
  const auto out = expect_exact(net.g, data);
  for (float v : out[0].span<float>()) EXPECT_EQ(v, 0.5f);
}

/// The border of a convolution is the real number 0, which is no code of {-1, +1}.
TEST_P(OneBit, PaddingAddsNothing) {
  Net net(1, GetParam());
  const ValueId x = net.input({1, 1, 2, 2});
  numeric::QuantParams p = small(GridId::kBinary);
  p.scales = {1};
  net.g.value(x).quant = graph::QuantInfo{p, "test"};
  Tensor weights(DType::kF32, {1, 1, 3, 3});
  for (float& v : weights.span<float>()) v = 1;
  const ValueId w = net.constant(std::move(weights));
  net.g.value(w).quant = graph::QuantInfo{p, "test"};
  Attributes attributes;
  attributes.set(Attr::pads, Ints{1, 1, 1, 1});
  net.g.outputs = {net.quantise(net.node(Op::kConv, {x, w}, attributes), 8, 127, true)};
  std::vector<Tensor> data;
  const float image[] = {3, -1, 2, 5};
  data.push_back(Tensor::of<float>({1, 1, 2, 2}, std::span(image)));
  const auto out = expect_exact(net.g, data);
  for (float v : out[0].span<float>()) EXPECT_EQ(v, 2);  // three +1 and one -1 in every window
}

/// Codes and real numbers onto one bit, clamps, pools, movement and a mean in between.
TEST_P(OneBit, EveryOtherWayToABit) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Net net(seed, GetParam());
    const Shape image{2, 5, 6, 6};
    const ValueId x = activation(net, net.input(image), 3);
    Attributes pool, pads;
    pool.set(Attr::kernel_shape, Ints{2, 2});
    const ValueId largest = net.same_grid(net.node(Op::kMaxPool, {x}, pool), x);
    const ValueId padded = net.same_grid(
        net.node(Op::kPad, {largest, net.integers({0, 0, 1, 0, 0, 0, 0, 2})}, pads), largest);
    const ValueId narrow = one_bit(net, net.node(Op::kRequantize, {padded}), 0.7f);
    const ValueId relu = one_bit(net, net.node(Op::kRelu, {padded}), 0.7f);
    const ValueId wide = net.quantise(net.node(Op::kRequantize, {narrow}), 8, 2, net.coin());
    const ValueId mean = one_bit(net, net.node(Op::kGlobalAveragePool, {wide}), 0.4f);
    const ValueId sum = net.quantise(net.node(Op::kAdd, {narrow, wide}), 8, 3, net.coin());
    net.g.outputs = {narrow, relu, mean, sum};
    std::vector<Tensor> data;
    data.push_back(net.normals(image, 1.5f));
    expect_exact(net.g, data);
  }
}

/// Real numbers behind an island, NaN and both zeros included.
TEST_P(OneBit, RealsToSigns) {
  Net net(1, GetParam());
  const ValueId x = net.input({1, 8});
  const ValueId y = net.node(Op::kRequantize, {net.node(Op::kNeg, {x})});
  numeric::QuantParams p = small(GridId::kBinary);
  p.scales = {3};
  net.g.value(y).quant = graph::QuantInfo{p, "test"};
  net.g.outputs = {y};
  std::vector<Tensor> data;
  const float reals[] = {0, -0.0f, 1e-45f, -1e-45f, NAN, INFINITY, -INFINITY, 2};
  data.push_back(Tensor::of<float>({1, 8}, std::span(reals)));
  const auto out = expect_exact(net.g, data, 1);
  const float expected[] = {3, 3, -3, 3, 3, -3, 3, -3};
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(out[0].span<float>()[i], expected[i]) << i;
}

/// What has no binary form stays float and is quantised behind it.
TEST_P(OneBit, SumsAndMeansOfNeighboursAreIslands) {
  Net net(1, GetParam());
  const ValueId x = net.input({1, 3, 4, 4});
  numeric::QuantParams p = small(GridId::kBinary);
  p.scales = {0.5f};
  net.g.value(x).quant = graph::QuantInfo{p, "test"};
  Attributes pool;
  pool.set(Attr::kernel_shape, Ints{2, 2});
  const ValueId mean = net.same_grid(net.node(Op::kAveragePool, {x}, pool), x);
  const ValueId sum = net.same_grid(net.node(Op::kAdd, {mean, mean}), x);
  net.g.outputs = {sum};
  std::vector<Tensor> data;
  data.push_back(net.normals({1, 3, 4, 4}));
  expect_exact(net.g, data, 2);
}

/// Weight-only: islands read packed codes of one bit.
TEST_P(OneBit, WeightsOfIslands) {
  for (GridId grid : {GridId::kBinary, GridId::kTernary}) {
    Net net(1, GetParam());
    const ValueId x = net.input({3, 40});
    const ValueId w = small_weights(net, {40, 12}, 1, grid, Granularity::kChannel);
    net.g.outputs = {net.node(Op::kMatMul, {x, w})};
    std::vector<Tensor> data;
    data.push_back(net.normals({3, 40}));
    const auto out = expect_exact(net.g, data, 1);
    EXPECT_GT(distinct(out[0]), 30u);
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, OneBit,
                         testing::Values(RequantiseVariant::kFloat, RequantiseVariant::kFixed),
                         [](const auto& info) {
                           return info.param == RequantiseVariant::kFloat ? "Float" : "Fixed";
                         });

}  // namespace
}  // namespace nibble::exactness
