#include "net.h"

namespace nibble::exactness {
namespace {

std::vector<Tensor> one(Tensor tensor) {
  std::vector<Tensor> data;
  data.push_back(std::move(tensor));
  return data;
}

/// Runs `op` on the codes of x; it keeps their grid.
void keeps_grid(Net& net, const Shape& shape, Op op, std::vector<ValueId> more,
                Attributes attributes, int bits = 8) {
  const ValueId x = net.quantise(net.input(shape), bits, 3, net.coin());
  more.insert(more.begin(), x);
  const ValueId y = net.node(op, std::move(more), std::move(attributes));
  net.g.outputs = {net.same_grid(y, x)};
  expect_exact(net.g, one(net.normals(shape)));
}

TEST(Pools, OfCodes) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Net net(seed);
    const int spatial = net.draw(0, 3) == 0 ? 1 : 2;
    Shape shape{net.draw(1, 2), net.draw(1, 20)};
    Ints kernel, strides, pads;
    for (int d = 0; d < spatial; ++d) {
      kernel.push_back(net.draw(1, 4));
      strides.push_back(net.draw(1, 3));
      shape.push_back(kernel.back() + net.draw(0, 6));
    }
    for (int d = 0; d < 2 * spatial; ++d) pads.push_back(net.draw(0, kernel[d % spatial] - 1));
    Attributes attributes;
    attributes.set(Attr::kernel_shape, kernel);
    attributes.set(Attr::strides, strides);
    attributes.set(Attr::pads, pads);
    attributes.set(Attr::ceil_mode, net.draw(0, 1));
    const bool is_max = net.coin();
    if (!is_max) attributes.set(Attr::count_include_pad, net.draw(0, 1));
    keeps_grid(net, shape, is_max ? Op::kMaxPool : Op::kAveragePool, {}, attributes,
               net.draw(0, 4) == 0 ? 16 : static_cast<int>(net.draw(2, 8)));
  }
}

TEST(Pools, GlobalMeanOnItsOwnGrid) {
  for (RequantiseVariant variant : {RequantiseVariant::kFloat, RequantiseVariant::kFixed})
    for (unsigned seed = 0; seed < 60; ++seed) {
      SCOPED_TRACE(seed);
      Net net(seed, variant);
      const Shape shape{2, net.draw(1, 20), net.draw(1, 9), net.draw(1, 9)};
      const bool wide = net.draw(0, 4) == 0;
      const ValueId x = net.quantise(net.input(shape), wide ? 16 : static_cast<int>(net.draw(2, 8)),
                                     3, net.coin());
      const ValueId y = net.node(Op::kGlobalAveragePool, {x});
      net.quantise(y, wide ? 16 : static_cast<int>(net.draw(2, 8)), 1.5f, net.coin());
      net.g.outputs = {y};
      std::vector<Tensor> data;
      data.push_back(net.normals(shape));
      expect_exact(net.g, data);
    }
}

TEST(Pools, Global) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    Net net(seed);
    keeps_grid(net, {net.draw(1, 2), net.draw(1, 70), net.draw(1, 8), net.draw(1, 8)},
               net.coin() ? Op::kGlobalAveragePool : Op::kGlobalMaxPool, {}, {},
               static_cast<int>(net.draw(2, 8)));
  }
}

TEST(Moves, OfCodes) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    const Shape shape{2, 6, 4, 4};
    Attributes perm, blocks, axis, mode;
    perm.set(Attr::perm, Ints{0, 3, 1, 2});
    blocks.set(Attr::blocksize, int64_t{2});
    axis.set(Attr::axis, int64_t{2});
    const auto with = [&](Op op, const std::vector<Ints>& constants, const Attributes& attributes) {
      SCOPED_TRACE(model::name_of(op));
      Net net(seed);
      std::vector<ValueId> more;
      for (const Ints& c : constants) more.push_back(net.integers(c));
      keeps_grid(net, op == Op::kDepthToSpace ? Shape{2, 8, 3, 3} : shape, op, more, attributes,
                 seed % 2 ? 8 : 4);
    };
    with(Op::kTranspose, {}, perm);
    with(Op::kReshape, {{2, -1}}, {});
    with(Op::kFlatten, {}, axis);
    with(Op::kSlice, {{1, 0}, {5, 3}, {1, 3}, {2, 1}}, {});
    with(Op::kUnsqueeze, {{1}}, {});
    with(Op::kDepthToSpace, {}, blocks);
    with(Op::kSpaceToDepth, {}, blocks);
    with(Op::kTile, {{1, 2, 1, 2}}, {});
    with(Op::kExpand, {{3, 1, 1, 1, 1}}, {});
    with(Op::kGather, {{3, 0}}, axis);
    with(Op::kPad, {{0, 0, 1, 2, 0, 1, 0, 1}}, {});
    with(Op::kIdentity, {}, {});
  }
}

TEST(Moves, PadInsertsTheCodeOfItsValue) {
  Net net(1);
  const std::vector<float> value{0.77f};
  const ValueId pads = net.integers({0, 0, 1, 1, 0, 0, 1, 1});
  keeps_grid(net, {1, 3, 4, 4}, Op::kPad,
             {pads, net.constant(Tensor::of<float>({}, std::span(value)))}, {});
}

TEST(Moves, SplitAndNearestResize) {
  Net net(2);
  const ValueId x = net.quantise(net.input({1, 6, 4, 4}), 8, 3);
  Attributes axis, nearest;
  axis.set(Attr::axis, int64_t{1});
  const ValueId first = net.node(Op::kSplit, {x, net.integers({2, 4})}, axis, 2);
  const ValueId second = net.g.nodes.back().outputs[1];
  net.same_grid(first, x);
  net.same_grid(second, x);
  const std::vector<float> scales{1, 1, 2, 2};
  nearest.set(Attr::mode, std::string("nearest"));
  nearest.set(Attr::coordinate_transformation_mode, std::string("asymmetric"));
  nearest.set(Attr::nearest_mode, std::string("floor"));
  const ValueId larger = net.node(
      Op::kResize, {second, kNoValue, net.constant(Tensor::of<float>({4}, std::span(scales)))},
      nearest);
  net.g.outputs = {first, net.same_grid(larger, x)};
  expect_exact(net.g, one(net.normals({1, 6, 4, 4})));
}

TEST(Concat, BringsItsOperandsToOneGrid) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    for (const RequantiseVariant variant : {RequantiseVariant::kFloat, RequantiseVariant::kFixed}) {
      Net net(seed, variant);
      std::vector<ValueId> operands;
      std::vector<Tensor> data;
      for (int i = 0; i < 3; ++i) {
        const Shape shape{2, net.draw(1, 5), 3, 3};
        const ValueId x = net.input(shape);
        if (i != 1 || net.coin()) net.quantise(x, static_cast<int>(net.draw(2, 8)), 3, net.coin());
        operands.push_back(x);
        data.push_back(net.normals(shape));
      }
      operands.push_back(net.constant(net.normals({2, 1, 3, 3})));
      Attributes axis;
      axis.set(Attr::axis, int64_t{1});
      const ValueId y = net.node(Op::kConcat, operands, axis);
      net.quantise(y, static_cast<int>(net.draw(2, 8)), 3);
      if (net.coin()) net.same_grid(operands[0], y);
      net.g.outputs = {y};
      expect_exact(net.g, data);
    }
  }
}

}  // namespace
}  // namespace nibble::exactness
