#include "quant/transform/transform.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "deploy/run/session.h"
#include "quant/graph/error.h"
#include "quant/pack/pack.h"

namespace nibble::transform {
namespace {

using graph::Attr;
using graph::Attributes;
using graph::Graph;
using graph::kNoValue;
using graph::Op;
using graph::ValueId;
using Ints = std::vector<int64_t>;
using Names = std::vector<std::string>;

/// A float graph under construction; data of matrices and sequences, so that it runs as it stands.
struct Net {
  Graph g;
  std::mt19937 random{7};

  Tensor normals(const Shape& shape, float offset = 0) {
    Tensor t(DType::kF32, shape);
    std::normal_distribution<float> normal;
    for (float& v : t.span<float>()) v = normal(random) + offset;
    return t;
  }
  ValueId input(const Shape& shape) {
    const ValueId id = g.add_value("x", DType::kF32, shape);
    g.inputs.push_back(id);
    return id;
  }
  ValueId constant(Tensor t) { return g.add_constant("c", std::move(t)); }
  ValueId scalar(float v) { return constant(Tensor::of<float>({}, std::span<const float>(&v, 1))); }
  ValueId integers(const Ints& v) {
    return constant(Tensor::of<int64_t>({static_cast<int64_t>(v.size())}, std::span(v)));
  }
  ValueId node(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const std::string name = std::string(model::name_of(op)) + "_" + std::to_string(g.nodes.size());
    g.nodes.push_back(
        {op, name, std::move(attributes), std::move(inputs), {g.add_value("t", DType::kF32, {})}});
    g.infer_shapes();
    return g.nodes.back().outputs[0];
  }
  ValueId batch_norm(ValueId x, int64_t channels) {
    Tensor variance = normals({channels});
    for (float& v : variance.span<float>()) v = std::abs(v) + 0.1f;
    Attributes eps;
    eps.set(Attr::epsilon, 0.01f);
    return node(Op::kBatchNormalization,
                {x, constant(normals({channels})), constant(normals({channels})),
                 constant(normals({channels})), constant(std::move(variance))},
                eps);
  }
  Names ops() const {
    Names list;
    for (const graph::Node& n : g.nodes) list.emplace_back(model::name_of(n.op));
    return list;
  }
};

/// Spatial ops run channels last: for the tests of weights, data with one pixel is enough, and its
/// orders are the same bytes, so the attribute and a reshape of the weights are all it takes.
std::vector<float> run(Graph g, const Tensor& x) {
  for (graph::Node& node : g.nodes) {
    if (node.op == Op::kConv) {
      node.attributes.set(Attr::channels_last, int64_t{1});
      graph::Value& w = g.value(node.inputs[1]);
      Tensor moved = w.constant->clone();
      moved.reshape({w.shape[0], w.shape[2], w.shape[3], w.shape[1]});
      w.shape = moved.shape();
      w.constant = std::make_shared<const Tensor>(std::move(moved));
    }
    if (node.op == Op::kBatchNormalization && g.value(node.inputs[0]).shape.rank() > 2)
      node.attributes.set(Attr::channels_last, int64_t{1});
  }
  Tensor data = x.clone();
  const auto one_pixel_last = [](const Shape& s) {
    return s.rank() == 4 ? Shape{s[0], s[2], s[3], s[1]} : s;
  };
  data.reshape(one_pixel_last(x.shape()));
  for (graph::Value& value : g.values)
    if (!value.constant) value.shape = one_pixel_last(value.shape);
  for (graph::Node& node : g.nodes)  // constants [1, C, 1, 1] of element-wise nodes
    if (node.op == Op::kMul || node.op == Op::kAdd)
      for (ValueId id : node.inputs)
        if (g.is_constant(id) && g.value(id).shape.rank() == 4) {
          Tensor moved = g.value(id).constant->clone();
          moved.reshape(one_pixel_last(g.value(id).shape));
          g.value(id).shape = moved.shape();
          g.value(id).constant = std::make_shared<const Tensor>(std::move(moved));
        }
  auto session = run::Session::create(pack::pack(g), {});
  EXPECT_TRUE(session.ok()) << session.status().message();
  if (!session.ok()) return {};
  const TensorView views[] = {data.view()};
  const Status status = session.value()->run(views);
  EXPECT_TRUE(status.ok()) << status.message();
  const auto span = session.value()->output(0).span<float>();
  return {span.begin(), span.end()};
}

int apply(std::string_view name, Graph& g) {
  const int count = transform_by_name(name).apply(g);
  graph::verify(g, graph::Phase::kFloat);
  return count;
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  float largest = 1;
  for (float v : a) largest = std::max(largest, std::abs(v));
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5f * largest) << "at " << i;
}

TEST(Transforms, AreListedAndFoundByName) {
  EXPECT_EQ(transforms().front()->name, "remove_identity");
  EXPECT_EQ(&transform_by_name("fold_bn"), transforms()[4]);
  try {
    transform_by_name("fold_bm");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind, ErrorKind::kUsage);
    EXPECT_NE(e.message.find("fold_bn"), std::string::npos);
  }
}

/// Contract: the function stays, a second application finds nothing, no name of an output changes.
TEST(Transforms, KeepTheFunctionAndAreIdempotent) {
  Net net;
  const ValueId x = net.input({3, 8});
  const ValueId a = net.node(Op::kIdentity, {x});
  const ValueId b = net.node(Op::kMatMul, {a, net.constant(net.normals({8, 6}))});
  const ValueId c = net.node(Op::kAdd, {b, net.constant(net.normals({6}))});
  const ValueId d = net.node(Op::kRelu, {net.batch_norm(c, 6)});
  const ValueId e = net.batch_norm(d, 6);
  const ValueId f = net.node(Op::kExp, {net.constant(net.normals({6}))});
  net.g.outputs = {net.node(Op::kMul, {e, f})};
  const std::string name = net.g.value(net.g.outputs[0]).name;
  const Tensor data = net.normals({3, 8});
  const std::vector<float> before = run(net.g, data);
  for (const Transform* t : transforms()) {
    SCOPED_TRACE(t->name);
    t->apply(net.g);
    graph::verify(net.g, graph::Phase::kFloat);
    expect_near(before, run(net.g, data));
    EXPECT_EQ(t->apply(net.g), 0);
    EXPECT_EQ(net.g.value(net.g.outputs[0]).name, name);
  }
  EXPECT_EQ(net.ops(), (Names{"Gemm", "Mul", "Add", "Mul"}));
}

TEST(FoldBn, BehindConvolutionsOfEveryKind) {
  for (int64_t group : {1, 2, 4}) {
    for (bool bias : {false, true}) {
      Net net;
      const ValueId x = net.input({2, 4, 1, 1});
      Attributes attributes;
      attributes.set(Attr::group, group);
      std::vector<ValueId> inputs{x, net.constant(net.normals({8, 4 / group, 1, 1}))};
      if (bias) inputs.push_back(net.constant(net.normals({8})));
      net.g.outputs = {net.batch_norm(net.node(Op::kConv, inputs, attributes), 8)};
      const Tensor data = net.normals({2, 4, 1, 1});
      const std::vector<float> before = run(net.g, data);
      EXPECT_EQ(apply("fold_bn", net.g), 1);
      EXPECT_EQ(net.ops(), Names{"Conv"});
      expect_near(before, run(net.g, data));
    }
  }
}

TEST(FoldBn, TransposedConvolutionByItsOutputChannels) {
  // weights [C, O/g, k] = 1: by hand, output channel o takes factor g[o].
  Net net;
  Tensor w(DType::kF32, {4, 3, 1, 1});
  for (float& v : w.span<float>()) v = 1;
  Attributes two;
  two.set(Attr::group, int64_t{2});
  const ValueId y =
      net.node(Op::kConvTranspose, {net.input({1, 4, 2, 2}), net.constant(std::move(w))}, two);
  net.g.outputs = {net.batch_norm(y, 6)};
  const auto gamma = net.g.value(net.g.nodes[1].inputs[1]).constant->span<float>();
  const auto variance = net.g.value(net.g.nodes[1].inputs[4]).constant->span<float>();
  EXPECT_EQ(apply("fold_bn", net.g), 1);
  const auto folded = net.g.value(net.g.nodes[0].inputs[1]).constant->span<float>();
  for (int c = 0; c < 4; ++c)
    for (int o = 0; o < 3; ++o) {
      const int out = c / 2 * 3 + o;
      EXPECT_FLOAT_EQ(folded[c * 3 + o], gamma[out] / std::sqrt(variance[out] + 0.01f));
    }
}

TEST(FoldBn, BeforeAConvolutionOnlyWithoutPadding) {
  for (int64_t pad : {0, 1}) {
    Net net;
    Attributes attributes;
    attributes.set(Attr::pads, Ints(4, pad));
    attributes.set(Attr::group, int64_t{2});
    const ValueId x = net.batch_norm(net.input({2, 4, 1, 1}), 4);
    net.g.outputs = {net.node(Op::kConv, {x, net.constant(net.normals({6, 2, 1, 1}))}, attributes)};
    const Tensor data = net.normals({2, 4, 1, 1});
    const std::vector<float> before = pad ? std::vector<float>() : run(net.g, data);
    EXPECT_EQ(apply("fold_bn", net.g), pad ? 0 : 1);
    if (!pad) expect_near(before, run(net.g, data));
  }
}

TEST(FoldBn, LeavesWhatOthersRead) {
  Net net;
  const ValueId y =
      net.node(Op::kConv, {net.input({1, 2, 1, 1}), net.constant(net.normals({3, 2, 1, 1}))});
  net.g.outputs = {net.batch_norm(y, 3), y};
  EXPECT_EQ(apply("fold_bn", net.g), 0);
  EXPECT_EQ(apply("expand_bn", net.g), 1);
  EXPECT_EQ(net.ops(), (Names{"Conv", "Mul", "Add"}));
}

TEST(ExpandBn, IsTheSameFunction) {
  Net net;
  net.g.outputs = {net.batch_norm(net.node(Op::kRelu, {net.input({3, 5, 1, 1})}), 5)};
  const Tensor data = net.normals({3, 5, 1, 1});
  const std::vector<float> before = run(net.g, data);
  EXPECT_EQ(apply("expand_bn", net.g), 1);
  expect_near(before, run(net.g, data));
}

TEST(UnitGemm, MovesBothFactors) {
  Net net;
  Attributes attributes;
  attributes.set(Attr::alpha, 0.5f);
  attributes.set(Attr::beta, -3.0f);
  net.g.outputs = {net.node(
      Op::kGemm,
      {net.input({2, 4}), net.constant(net.normals({4, 3})), net.constant(net.normals({3}))},
      attributes)};
  const Tensor data = net.normals({2, 4});
  const std::vector<float> before = run(net.g, data);
  EXPECT_EQ(apply("unit_gemm", net.g), 1);
  EXPECT_FALSE(net.g.nodes[0].attributes.has(Attr::alpha));
  EXPECT_FALSE(net.g.nodes[0].attributes.has(Attr::beta));
  expect_near(before, run(net.g, data));
}

TEST(BiasMatmul, SequencesTakeAGemm) {
  Net net;
  const ValueId x = net.input({kUnknownDim, 3, 4});
  const ValueId y = net.node(Op::kMatMul, {x, net.constant(net.normals({4, 5}))});
  net.g.outputs = {net.node(Op::kAdd, {net.constant(net.normals({5})), y})};
  const Tensor data = net.normals({2, 3, 4});
  const std::vector<float> before = run(net.g, data);
  EXPECT_EQ(apply("bias_matmul", net.g), 1);
  EXPECT_EQ(net.ops(), (Names{"Reshape", "Gemm", "Reshape"}));
  expect_near(before, run(net.g, data));
}

TEST(PadIntoConv, OnlyZerosOnSpatialAxes) {
  for (const auto& [pads, value, expected] : {std::tuple{Ints{0, 0, 1, 2, 0, 0, 0, 3}, 0.0f, 1},
                                              {Ints{0, 0, 1, 2, 0, 0, 0, 3}, 1.0f, 0},
                                              {Ints{0, 1, 0, 0, 0, 0, 0, 0}, 0.0f, 0},
                                              {Ints{0, 0, -1, 0, 0, 0, 0, 0}, 0.0f, 0}}) {
    Net net;
    const ValueId x =
        net.node(Op::kPad, {net.input({1, 2, 5, 5}), net.integers(pads), net.scalar(value)});
    Attributes own;
    own.set(Attr::pads, Ints{1, 0, 0, 1});
    const int64_t channels = net.g.value(x).shape[1];
    net.g.outputs = {net.node(Op::kConv, {x, net.constant(net.normals({3, channels, 3, 3}))}, own)};
    const Shape shape = net.g.value(net.g.outputs[0]).shape;
    EXPECT_EQ(apply("pad_into_conv", net.g), expected);
    if (!expected) continue;
    const auto sum = net.g.nodes[0].attributes.get_ints(Attr::pads);
    EXPECT_EQ(Ints(sum.begin(), sum.end()), (Ints{2, 2, 0, 4}));
    net.g.infer_shapes();
    EXPECT_EQ(net.g.value(net.g.outputs[0]).shape, shape);
  }
}

TEST(FuseActivation, ClampsInARowAreOne) {
  Net net;
  const ValueId sum = net.node(Op::kAdd, {net.input({64}), net.constant(net.normals({64}))});
  const ValueId relu = net.node(Op::kRelu, {sum});
  net.g.outputs = {net.node(Op::kClip, {relu, net.scalar(-1), net.scalar(0.7f)})};
  const Tensor data = net.normals({64});
  const std::vector<float> before = run(net.g, data);
  const std::string name = net.g.value(net.g.outputs[0]).name;
  EXPECT_EQ(apply("fuse_activation", net.g), 2);
  ASSERT_EQ(net.ops(), Names{"Add"});
  EXPECT_EQ(net.g.nodes[0].attributes.get_float(Attr::clip_min, -9), 0.0f);
  EXPECT_EQ(net.g.nodes[0].attributes.get_float(Attr::clip_max, -9), 0.7f);
  EXPECT_EQ(net.g.value(net.g.outputs[0]).name, name);
  EXPECT_EQ(before, run(net.g, data));
}

TEST(FuseActivation, LeavesAValueThatHasItsOwnGridOrReaders) {
  Net net;
  const ValueId sum = net.node(Op::kAdd, {net.input({4}), net.constant(net.normals({4}))});
  const ValueId relu = net.node(Op::kRelu, {sum});
  net.g.outputs = {relu, sum};
  EXPECT_EQ(apply("fuse_activation", net.g), 0);
  net.g.outputs = {relu};
  net.g.value(sum).quant = graph::QuantInfo{{.scales = {1}}, "test"};
  EXPECT_EQ(transform_by_name("fuse_activation").apply(net.g), 0);
}

TEST(RemoveIdentity, KeepsNamesOfInputsAndOutputs) {
  Net net;
  const ValueId x = net.input({kUnknownDim, 4});
  const ValueId r = net.node(Op::kRelu, {x});
  const ValueId i = net.node(Op::kIdentity, {r});
  const ValueId same = net.node(Op::kReshape, {i, net.integers({-1, 4})});
  const ValueId pass = net.node(Op::kIdentity, {x});
  net.g.outputs = {same, pass};
  const std::string first = net.g.value(same).name, second = net.g.value(pass).name;
  EXPECT_EQ(apply("remove_identity", net.g), 2);
  EXPECT_EQ(net.ops(), (Names{"Relu", "Identity"}));  // x and its copy: two names
  EXPECT_EQ(net.g.value(net.g.outputs[0]).name, first);
  EXPECT_EQ(net.g.value(net.g.outputs[1]).name, second);
}

TEST(FoldConstants, RunsChainsAndReadsKnownDimensions) {
  Net net;
  const ValueId x = net.input({kUnknownDim, 6});
  const std::vector<int64_t> one{1};
  const ValueId dims = net.node(Op::kShape, {x});
  const ValueId width = net.node(Op::kGather, {dims, net.integers(one)});
  const ValueId target = net.node(Op::kConcat, {net.integers({-1}), width}, [] {
    Attributes axis;
    axis.set(Attr::axis, int64_t{0});
    return axis;
  }());
  const ValueId c = net.node(Op::kSqrt, {net.node(Op::kAbs, {net.constant(net.normals({6}))})});
  net.g.outputs = {net.node(Op::kAdd, {net.node(Op::kReshape, {x, target}), c})};
  const Tensor data = net.normals({2, 6});
  const std::vector<float> before = run(net.g, data);
  EXPECT_EQ(apply("fold_constants", net.g), 4);  // Gather, Concat, Abs, Sqrt; Shape is dead
  EXPECT_EQ(apply("remove_dead", net.g), 1);
  EXPECT_EQ(net.ops(), (Names{"Reshape", "Add"}));
  EXPECT_EQ(before, run(net.g, data));
}

TEST(FoldConstants, DoesNotBlowUp) {
  Net net;
  const ValueId huge = net.node(Op::kConstantOfShape, {net.integers({1 << 12, 1 << 12})});
  net.g.outputs = {huge};
  EXPECT_EQ(apply("fold_constants", net.g), 0);
}

}  // namespace
}  // namespace nibble::transform
