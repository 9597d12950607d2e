#include <cmath>

#include "net.h"

namespace nibble::exactness {
namespace {

Granularity granularity_of(int64_t i) {
  return i == 0 ? Granularity::kTensor : i == 1 ? Granularity::kChannel : Granularity::kGroup;
}

/// A bound that cuts into the range now and then.
void maybe_clip(Net& net, Attributes& attributes, float span) {
  if (net.coin()) attributes.set(Attr::clip_min, 0.0f);
  if (net.coin()) attributes.set(Attr::clip_max, 0.6f * span);
}

void conv_case(unsigned seed, RequantiseVariant variant, int spatial) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Net net(seed, variant);
  const int64_t groups = net.draw(1, 3);
  const bool depthwise = net.coin();
  const int64_t c = depthwise ? 1 : net.draw(1, 7), o = groups * (depthwise ? 1 : net.draw(1, 6));
  Shape image{net.draw(1, 2), groups * c}, filter{o, c};
  Ints strides, pads, ends, dilations;
  for (int d = 0; d < spatial; ++d) {
    const int64_t kernel = net.draw(1, 3), dilation = net.draw(1, 2);
    filter.push_back(kernel);
    image.push_back((kernel - 1) * dilation + net.draw(1, 6));
    strides.push_back(net.draw(1, 2));
    dilations.push_back(dilation);
    pads.push_back(net.draw(0, 2));
    ends.push_back(net.draw(0, 2));
  }
  pads.insert(pads.end(), ends.begin(), ends.end());
  const int bits = static_cast<int>(net.draw(2, 8)), x_bits = static_cast<int>(net.draw(2, 8));
  const ValueId x = net.quantise(net.input(image), x_bits, 3, net.coin());
  const ValueId w = net.weights(filter, 0, bits, net.coin(), granularity_of(net.draw(0, 2)));
  std::vector<ValueId> inputs{x, w};
  if (net.coin()) inputs.push_back(net.constant(net.normals({o})));
  const float span = 2 * std::sqrt(static_cast<float>(filter.size() / o));
  Attributes attributes;
  attributes.set(Attr::group, groups);
  attributes.set(Attr::strides, strides);
  attributes.set(Attr::pads, pads);
  attributes.set(Attr::dilations, dilations);
  maybe_clip(net, attributes, span);
  const ValueId y = net.node(Op::kConv, inputs, attributes);
  net.quantise(y, static_cast<int>(net.draw(3, 8)), span, net.coin());
  net.g.outputs = {y};
  std::vector<Tensor> data;
  data.push_back(net.normals(image, 1.5f));
  expect_exact(net.g, data);
}

class Conv : public testing::TestWithParam<RequantiseVariant> {};

TEST_P(Conv, TwoAxes) {
  for (unsigned seed = 0; seed < 150; ++seed) conv_case(seed, GetParam(), 2);
}
TEST_P(Conv, OneAxis) {
  for (unsigned seed = 0; seed < 40; ++seed) conv_case(seed, GetParam(), 1);
}
TEST_P(Conv, ThreeAxes) {
  for (unsigned seed = 0; seed < 40; ++seed) conv_case(seed, GetParam(), 3);
}

/// The shapes of real layers: whole panels, many channels, depthwise.
TEST_P(Conv, Layers) {
  struct Layer {
    int64_t c, o, group, kernel, stride;
  };
  for (const Layer& l : {Layer{64, 96, 1, 3, 1}, Layer{96, 24, 1, 1, 1}, Layer{48, 48, 48, 3, 2},
                         Layer{3, 16, 1, 3, 2}}) {
    for (int bits : {2, 3, 4, 5, 6, 7, 8}) {
      SCOPED_TRACE(std::to_string(l.c) + " channels, W" + std::to_string(bits));
      Net net(static_cast<unsigned>(bits), GetParam());
      const ValueId x = net.quantise(net.input({1, l.c, 9, 10}), 8, 3);
      const ValueId w = net.weights({l.o, l.c / l.group, l.kernel, l.kernel}, 0, bits, true,
                                    Granularity::kChannel);
      Attributes attributes;
      attributes.set(Attr::group, l.group);
      attributes.set(Attr::strides, Ints{l.stride, l.stride});
      attributes.set(Attr::pads, Ints(4, l.kernel / 2));
      const float span = 2 * std::sqrt(static_cast<float>(l.c / l.group * l.kernel * l.kernel));
      const ValueId y = net.node(Op::kConv, {x, w, net.constant(net.normals({l.o}))}, attributes);
      net.quantise(y, 8, span);
      net.g.outputs = {y};
      std::vector<Tensor> data;
      data.push_back(net.normals({1, l.c, 9, 10}));
      const auto out = expect_exact(net.g, data);
      ASSERT_FALSE(out.empty());
      EXPECT_GT(distinct(out[0]), 30u);
    }
  }
}

TEST_P(Conv, Int16Activations) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    Net net(seed, GetParam());
    const ValueId x = net.quantise(net.input({1, 5, 6, 6}), 16, 4, true);
    const ValueId w = net.weights({8, 5, 3, 3}, 0, static_cast<int>(net.draw(2, 8)), net.coin(),
                                  Granularity::kChannel);
    const ValueId y = net.node(Op::kConv, {x, w});
    net.quantise(y, net.coin() ? 16 : 8, 12, true);
    net.g.outputs = {y};
    std::vector<Tensor> data;
    data.push_back(net.normals({1, 5, 6, 6}));
    expect_exact(net.g, data);
  }
}

TEST_P(Conv, Matrices) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Net net(seed, GetParam());
    const int64_t m = net.draw(1, 5), k = net.draw(1, 80), n = net.draw(1, 70);
    const bool is_gemm = net.coin(), by_row = is_gemm && net.coin();
    const Shape rows = is_gemm ? Shape{m, k} : Shape{2, m, k};
    const ValueId x =
        net.quantise(net.input(rows), static_cast<int>(net.draw(2, 8)), 3, net.coin());
    const ValueId w =
        net.weights(by_row ? Shape{n, k} : Shape{k, n}, by_row ? 0 : 1,
                    static_cast<int>(net.draw(2, 8)), net.coin(), granularity_of(net.draw(0, 2)));
    std::vector<ValueId> inputs{x, w};
    if (is_gemm && net.coin()) inputs.push_back(net.constant(net.normals({net.coin() ? n : 1})));
    const float span = 2 * std::sqrt(static_cast<float>(k));
    Attributes attributes;
    if (by_row) attributes.set(Attr::transB, int64_t{1});
    maybe_clip(net, attributes, span);
    const ValueId y = net.node(is_gemm ? Op::kGemm : Op::kMatMul, inputs, attributes);
    net.quantise(y, 8, span, net.coin());
    net.g.outputs = {y};
    std::vector<Tensor> data;
    data.push_back(net.normals(rows));
    expect_exact(net.g, data);
  }
}

TEST_P(Conv, ProductsOfActivations) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Net net(seed, GetParam());
    const int64_t m = net.draw(1, 6), k = net.draw(1, 40), n = net.draw(1, 40);
    const Shape sa{2, 3, m, k};
    const Shape sb = net.coin()   ? Shape{2, 3, k, n}
                     : net.coin() ? Shape{3, k, n}
                                  : Shape{2, 1, k, n};
    const ValueId a = net.quantise(net.input(sa), 8, 3, net.coin());
    const ValueId b = net.quantise(net.input(sb), static_cast<int>(net.draw(2, 8)), 3, net.coin());
    const ValueId y = net.node(Op::kMatMul, {a, b});
    net.quantise(y, 8, 2 * std::sqrt(static_cast<float>(k)), net.coin());
    net.g.outputs = {y};
    std::vector<Tensor> data;
    data.push_back(net.normals(sa));
    data.push_back(net.normals(sb));
    expect_exact(net.g, data);
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, Conv,
                         testing::Values(RequantiseVariant::kFloat, RequantiseVariant::kFixed),
                         [](const auto& info) {
                           return info.param == RequantiseVariant::kFloat ? "Float" : "Fixed";
                         });

}  // namespace
}  // namespace nibble::exactness
