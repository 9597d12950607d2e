#include "net.h"

namespace nibble::exactness {
namespace {

class Elementwise : public testing::TestWithParam<RequantiseVariant> {};

Shape random_operand(Net& net, const Shape& full) {
  if (net.coin()) return full;
  Shape shape = full;
  for (int d = 0; d < shape.rank(); ++d)
    if (net.coin()) shape[d] = 1;
  return shape;
}

void two_operands(Net& net, Op op) {
  const Shape full{net.draw(1, 2), net.draw(1, 9), net.draw(1, 5), net.draw(1, 5)};
  const Shape sa = random_operand(net, full), sb = random_operand(net, full);
  const ValueId a = net.quantise(net.input(sa), static_cast<int>(net.draw(2, 8)), 3, net.coin());
  const bool wide = net.draw(0, 5) == 0;
  const ValueId b =
      net.quantise(net.input(sb), wide ? 16 : static_cast<int>(net.draw(2, 8)), 3, wide);
  Attributes attributes;
  if (net.coin()) attributes.set(Attr::clip_min, 0.0f);
  if (net.coin()) attributes.set(Attr::clip_max, 2.5f);
  const ValueId y = net.node(op, {a, b}, attributes);
  net.quantise(y, net.draw(0, 5) == 0 ? 16 : static_cast<int>(net.draw(2, 8)), 5, true);
  net.g.outputs = {y};
  std::vector<Tensor> data;
  data.push_back(net.normals(sa));
  data.push_back(net.normals(sb));
  expect_exact(net.g, data);
}

TEST_P(Elementwise, Add) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    Net net(seed, GetParam());
    two_operands(net, Op::kAdd);
  }
}

TEST_P(Elementwise, Mul) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    Net net(seed, GetParam());
    two_operands(net, Op::kMul);
  }
}

TEST_P(Elementwise, AQuantisedConstantIsAnOperand) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Net net(seed, GetParam());
    const ValueId a = net.quantise(net.input({2, 5, 3, 3}), 8, 3);
    const ValueId c = net.quantise(net.constant(net.normals({5, 1, 1})), 8, 2);
    const ValueId y = net.quantise(net.node(net.coin() ? Op::kAdd : Op::kMul, {a, c}), 8, 5);
    // Behind a pool the data is channels last, and so must be the constant.
    Attributes pool;
    pool.set(Attr::kernel_shape, Ints{2, 2});
    net.g.outputs = {net.same_grid(net.node(Op::kMaxPool, {y}, pool), y)};
    std::vector<Tensor> data;
    data.push_back(net.normals({2, 5, 3, 3}));
    expect_exact(net.g, data);
  }
}

TEST_P(Elementwise, RequantizeAndClamp) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Net net(seed, GetParam());
    const ValueId x = net.quantise(net.input({3, 40}), net.coin() ? 8 : 16, 3, true);
    const int64_t kind = net.draw(0, 2);
    ValueId y = x;
    if (kind == 0) {
      y = net.node(Op::kRequantize, {x});
    } else if (kind == 1) {
      y = net.node(Op::kRelu, {x});
    } else {
      const std::vector<float> lo{-1.0f}, hi{1.7f};
      y = net.node(Op::kClip, {x, net.constant(Tensor::of<float>({}, std::span(lo))),
                               net.constant(Tensor::of<float>({}, std::span(hi)))});
    }
    net.quantise(y, static_cast<int>(net.draw(2, 8)), 2.5f, net.coin());
    net.g.outputs = {y};
    std::vector<Tensor> data;
    data.push_back(net.normals({3, 40}));
    expect_exact(net.g, data);
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, Elementwise,
                         testing::Values(RequantiseVariant::kFloat, RequantiseVariant::kFixed),
                         [](const auto& info) {
                           return info.param == RequantiseVariant::kFloat ? "Float" : "Fixed";
                         });

}  // namespace
}  // namespace nibble::exactness
