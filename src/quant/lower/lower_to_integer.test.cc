#include <gtest/gtest.h>

#include <algorithm>

#include "quant/graph/error.h"
#include "quant/lower/codes.h"
#include "quant/lower/lower.h"

namespace nibble::lower {
namespace {

using graph::Attr;
using graph::Attributes;
using graph::Graph;
using graph::kNoValue;
using graph::Op;
using graph::ValueId;
using numeric::QuantParams;
using numeric::RangeKind;

QuantParams grid(RangeKind range, int bits, float scale, int32_t zero) {
  const numeric::CodeRange codes = numeric::code_range(range, bits);
  QuantParams p;
  p.bits = bits;
  p.range = range;
  p.qmin = codes.qmin;
  p.qmax = codes.qmax;
  p.scales = {scale};
  p.zero_points = {zero};
  return p;
}

/// x [M, K] on an asymmetric grid -> Gemm with weights [K, 1] and a bias -> y.
struct Layer {
  Graph g;
  ValueId x, w, b, y;

  Layer(int bits, int64_t k, float weight, float bias) {
    g.phase = graph::Phase::kAnnotated;
    g.source = "layer";
    x = g.add_value("x", DType::kF32, {2, k});
    std::vector<float> weights(static_cast<size_t>(k), weight);
    w = g.add_constant("w", Tensor::of<float>({k, 1}, std::span<const float>(weights)));
    b = g.add_constant("b", Tensor::of<float>({1}, std::span<const float>(&bias, 1)));
    y = g.add_value("y", DType::kF32, {2, 1});
    g.nodes.push_back({Op::kGemm, "fc", {}, {x, w, b}, {y}});
    g.inputs = {x};
    g.outputs = {y};
    set(x, grid(bits == 16 ? RangeKind::kRestricted : RangeKind::kAsymmetric, bits, 0.5f,
                bits == 16 ? 0 : 100));
    set(w, grid(RangeKind::kRestricted, 8, 0.25f, 0));
    set(y, grid(RangeKind::kAsymmetric, 8, 2.0f, 3));
  }
  void set(ValueId id, QuantParams p) {
    g.value(id).quant = graph::QuantInfo{std::move(p), "test"};
  }
};

const graph::Node& node_of(const Graph& g, Op op) {
  return *std::find_if(g.nodes.begin(), g.nodes.end(), [&](const auto& n) { return n.op == op; });
}

TEST(Stored, ShiftsOnlyCodesThatFillTheirContainer) {
  const Stored full = stored(grid(RangeKind::kAsymmetric, 8, 1, 200));
  EXPECT_EQ(full.dtype, DType::kI8);
  EXPECT_EQ(full.params.qmin, -128);
  EXPECT_EQ(full.params.qmax, 127);
  EXPECT_EQ(full.params.zero_point(0), 72);
  const Stored narrow = stored(grid(RangeKind::kAsymmetric, 7, 1, 20));
  EXPECT_EQ(narrow.dtype, DType::kI8);
  EXPECT_EQ(narrow.params.qmax, 127);
  EXPECT_EQ(narrow.params.zero_point(0), 20);
  EXPECT_EQ(stored(grid(RangeKind::kRestricted, 8, 1, 0)).params.qmin, -127);
  EXPECT_EQ(stored(grid(RangeKind::kRestricted, 16, 1, 0)).dtype, DType::kI16);
}

TEST(CodeBounds, FusedActivationCutsTheGrid) {
  const QuantParams p = grid(RangeKind::kAsymmetric, 8, 0.1f, 10);
  Attributes a;
  EXPECT_EQ(code_bounds(a, p).lo, 0);
  EXPECT_EQ(code_bounds(a, p).hi, 255);
  a.set(Attr::clip_min, 0.0f);
  a.set(Attr::clip_max, 6.0f);
  EXPECT_EQ(code_bounds(a, p).lo, 10);
  EXPECT_EQ(code_bounds(a, p).hi, 70);
  a.set(Attr::clip_min, 7.0f);  // min(max(y, lo), hi) = hi
  EXPECT_EQ(code_bounds(a, p).lo, 70);
}

TEST(Lower, OneLayerByHand) {
  Layer layer(8, 3, 1.0f, 5.0f);
  layer.g.nodes[0].attributes.set(Attr::clip_min, 0.0f);
  const Lowered lowered = lower_to_integer(layer.g);
  EXPECT_TRUE(lowered.islands.empty());
  const Graph& g = lowered.graph;
  ASSERT_EQ(g.nodes.size(), 3u);  // QuantizeLinear, QGemm, DequantizeLinear
  const graph::Node& q = node_of(g, Op::kQGemm);
  const auto weights = g.value(q.inputs[1]).constant->span<int8_t>();
  EXPECT_EQ(std::vector<int8_t>(weights.begin(), weights.end()), (std::vector<int8_t>{4, 4, 4}));
  EXPECT_EQ(g.value(q.inputs[1]).shape, (Shape{1, 3}));
  // q_b = 5 / (0.5 * 0.25) = 40; z_x as stored = -28; folded: 40 + 28 * 12.
  EXPECT_EQ(g.value(q.inputs[2]).constant->span<int32_t>()[0], 40 + 28 * 12);
  EXPECT_EQ(g.value(q.inputs[3]).constant->span<float>()[0], 0.0625f);
  EXPECT_EQ(q.inputs.size(), 4u);
  EXPECT_EQ(q.attributes.get_int(Attr::x_zero, 0), -28);
  EXPECT_EQ(q.attributes.get_int(Attr::y_zero, 0), 3 - 128);
  EXPECT_EQ(q.attributes.get_int(Attr::y_min, 0), 3 - 128);
  EXPECT_EQ(q.attributes.get_int(Attr::y_max, 0), 127);
  EXPECT_FALSE(q.attributes.has(Attr::clip_min));
  EXPECT_EQ(g.value(g.outputs[0]).name, "y");
  EXPECT_EQ(g.value(g.outputs[0]).dtype, DType::kF32);
}

TEST(Lower, FixedVariantHasExponents) {
  Layer layer(8, 3, 1.0f, 0.0f);
  layer.g.requantise = graph::RequantiseVariant::kFixed;
  const Lowered lowered = lower_to_integer(layer.g);
  const graph::Node& q = node_of(lowered.graph, Op::kQGemm);
  ASSERT_EQ(q.inputs.size(), 5u);
  const auto at = [&](size_t i) {
    return lowered.graph.value(q.inputs[i]).constant->span<int32_t>()[0];
  };
  EXPECT_EQ(at(3), 1 << 30);  // 0.0625 = 0.5 * 2^-3
  EXPECT_EQ(at(4), -3);
}

TEST(Lower, ProvesThatSumsFit) {
  // 16-bit activations, |q_w| = 127: 127 * 32767 * K < 2^31 up to K = 516.
  EXPECT_TRUE(lower_to_integer(Layer(16, 516, 31.75f, 0).g).islands.empty());
  try {
    lower_to_integer(Layer(16, 517, 31.75f, 0).g);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind, ErrorKind::kModel);
    EXPECT_EQ(e.node, "fc");
    EXPECT_NE(e.message.find("channel 0"), std::string::npos);
  }
}

TEST(Lower, ABiasThatDoesNotFitNeedsALargerScale) {
  Layer layer(8, 3, 1.0f, 3e8f);  // / 0.125 >= 2^30
  EXPECT_THROW(lower_to_integer(layer.g), Error);
  EXPECT_EQ(raise_scales_for_bias(layer.g), 1);
  EXPECT_GT(layer.g.value(layer.w).quant->params.scales[0], 0.25f);
  EXPECT_TRUE(lower_to_integer(layer.g).islands.empty());
  EXPECT_EQ(raise_scales_for_bias(layer.g), 0);
}

TEST(Lower, ReasonsAreInWords) {
  const auto why = [](const Layer& layer) {
    const Lowered lowered = lower_to_integer(layer.g);
    return lowered.islands.empty() ? std::string() : lowered.islands[0].why;
  };
  Layer layer(8, 3, 1, 1);
  layer.g.value(layer.w).quant.reset();
  EXPECT_EQ(why(layer), "its weights are not quantised");
  layer = Layer(8, 3, 1, 1);
  layer.g.value(layer.y).quant.reset();
  EXPECT_EQ(why(layer), "'y' is not quantised");
  layer = Layer(8, 3, 1, 1);
  layer.g.nodes[0].attributes.set(Attr::alpha, 2.0f);
  EXPECT_EQ(why(layer), "alpha or beta is not 1");
  layer = Layer(8, 3, 1, 1);
  layer.g.nodes[0] = {Op::kSoftmax, "soft", {}, {layer.x}, {layer.y}};
  layer.g.value(layer.y).shape = {2, 3};
  EXPECT_EQ(why(layer), "Softmax has no integer kernel");
}

TEST(Simulation, RepresentationsAreNodes) {
  Layer layer(8, 3, 1, 1);
  layer.g.nodes[0] = {Op::kSoftmax, "soft", {}, {layer.x}, {layer.y}};
  layer.g.value(layer.y).shape = {2, 3};
  const Graph g = simulation(layer.g);
  ASSERT_EQ(g.nodes.size(), 3u);
  EXPECT_EQ(g.nodes[0].op, Op::kRequantize);  // the input
  EXPECT_EQ(g.value(g.nodes[0].outputs[0]).name, "x_quantized");
  EXPECT_EQ(g.nodes[1].op, Op::kSoftmax);
  EXPECT_FALSE(g.value(g.nodes[1].outputs[0]).quant.has_value());
  EXPECT_EQ(g.nodes[2].op, Op::kRequantize);
  EXPECT_EQ(g.value(g.outputs[0]).name, "y");
  EXPECT_TRUE(g.value(g.outputs[0]).quant.has_value());
}

}  // namespace
}  // namespace nibble::lower
