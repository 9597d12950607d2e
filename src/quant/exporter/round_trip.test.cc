// What the exporter writes, the importer reads back as the same graph.

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <numeric>

#include "deploy/numeric/quantize.h"
#include "quant/exporter/exporter.h"
#include "quant/exporter/testing.h"
#include "quant/graph/error.h"
#include "quant/importer/importer.h"

namespace nibble::exporter {
namespace {

using graph::Attr;
using graph::Graph;
using graph::kNoValue;
using graph::Op;
using graph::Phase;
using graph::ValueId;
using numeric::Granularity;
using numeric::QuantParams;
using numeric::RangeKind;

std::string name_of(const Graph& graph, ValueId id) {
  return id == kNoValue ? "" : graph.value(id).name;
}

void expect_same_value(const Graph& a, const Graph& b, ValueId ia, ValueId ib) {
  ASSERT_EQ(name_of(a, ia), name_of(b, ib));
  if (ia == kNoValue) return;
  const graph::Value &va = a.value(ia), &vb = b.value(ib);
  SCOPED_TRACE(va.name);
  EXPECT_EQ(va.dtype, vb.dtype);
  EXPECT_EQ(va.shape, vb.shape);
  ASSERT_EQ(va.quant.has_value(), vb.quant.has_value());
  if (va.quant) {
    EXPECT_EQ(va.quant->params, vb.quant->params);
  }
  ASSERT_EQ(va.constant != nullptr, vb.constant != nullptr);
  if (!va.constant) return;
  EXPECT_EQ(std::memcmp(va.constant->data(), vb.constant->data(), va.constant->bytes()), 0);
}

void expect_same(const Graph& a, const Graph& b) {
  EXPECT_EQ(a.phase, b.phase);
  ASSERT_EQ(a.nodes.size(), b.nodes.size()) << to_text(a) << "---\n" << to_text(b);
  for (size_t i = 0; i < a.nodes.size(); ++i) {
    const graph::Node &na = a.nodes[i], &nb = b.nodes[i];
    SCOPED_TRACE(na.name);
    EXPECT_EQ(na.name, nb.name);
    EXPECT_EQ(na.op, nb.op);
    EXPECT_EQ(na.attributes.entries(), nb.attributes.entries());
    ASSERT_EQ(na.inputs.size(), nb.inputs.size());
    ASSERT_EQ(na.outputs.size(), nb.outputs.size());
    for (size_t k = 0; k < na.inputs.size(); ++k)
      expect_same_value(a, b, na.inputs[k], nb.inputs[k]);
    for (size_t k = 0; k < na.outputs.size(); ++k)
      expect_same_value(a, b, na.outputs[k], nb.outputs[k]);
  }
  ASSERT_EQ(a.inputs.size(), b.inputs.size());
  for (size_t i = 0; i < a.inputs.size(); ++i) expect_same_value(a, b, a.inputs[i], b.inputs[i]);
  ASSERT_EQ(a.outputs.size(), b.outputs.size());
  for (size_t i = 0; i < a.outputs.size(); ++i) expect_same_value(a, b, a.outputs[i], b.outputs[i]);
}

void expect_round_trip(const Graph& graph, int max_opset, int opset) {
  SCOPED_TRACE("opset at most " + std::to_string(max_opset));
  const OnnxExport file = export_onnx(graph, max_opset);
  EXPECT_EQ(file.opset, opset);
  EXPECT_EQ(export_onnx(graph, max_opset).bytes, file.bytes) << "bytes are not deterministic";
  expect_same(graph, testing::reimport(file.bytes));
}

QuantParams activation(int bits, float scale, int32_t zero) {
  return {.bits = bits,
          .range = RangeKind::kAsymmetric,
          .qmin = 0,
          .qmax = (1 << bits) - 1,
          .scales = {scale},
          .zero_points = zero ? std::vector<int32_t>{zero} : std::vector<int32_t>{}};
}

QuantParams signed_activation(int bits, RangeKind range, float scale) {
  const auto codes = numeric::code_range(range, bits);
  return {.bits = bits,
          .range = range,
          .qmin = codes.qmin,
          .qmax = codes.qmax,
          .scales = {scale},
          .zero_points = {}};
}

class Builder {
 public:
  Graph graph;

  ValueId input(const std::string& name, const Shape& shape) {
    graph.inputs.push_back(graph.add_value(name, DType::kF32, shape));
    return graph.inputs.back();
  }
  ValueId node(Op op, const std::string& name, std::vector<ValueId> inputs,
               model::Attributes attributes = {}) {
    const ValueId out = graph.add_value(name + "_out", DType::kF32, {});
    graph.nodes.push_back({op, name, std::move(attributes), std::move(inputs), {out}});
    return out;
  }
  void quantize(ValueId id, const QuantParams& params) {
    graph.value(id).quant = graph::QuantInfo{params, "imported QDQ"};
  }
  /// Weights that lie on the grid; every code occurs, the lowest first.
  ValueId weights(const std::string& name, const Shape& shape, QuantParams params) {
    params.scales.resize(static_cast<size_t>(numeric::scale_count(params, shape)));
    for (size_t i = 0; i < params.scales.size(); ++i)
      params.scales[i] = 0.01f * static_cast<float>(i % 7 + 1);
    if (!numeric::is_symmetric(params.range)) {
      params.zero_points.resize(params.scales.size());
      for (size_t i = 0; i < params.scales.size(); ++i)
        params.zero_points[i] = params.qmin + 1 + static_cast<int32_t>(i % 2);
    }
    Tensor codes(DType::kI32, shape), real(DType::kF32, shape);
    for (size_t i = 0; i < codes.span<int32_t>().size(); ++i)
      codes.span<int32_t>()[i] =
          params.qmin + static_cast<int32_t>(i * 5) % (params.qmax - params.qmin + 1);
    if (params.grid == numeric::GridId::kBinary)
      for (int32_t& q : codes.span<int32_t>()) q = q < 0 ? -1 : 1;
    EXPECT_TRUE(numeric::dequantize(codes.view(), params, real.view()).ok());
    const ValueId id = graph.add_constant(name, std::move(real));
    quantize(id, params);
    return id;
  }
  /// A bias on the grid of codes * input scale * weight scale, as the importer reads it.
  ValueId bias(const std::string& name, ValueId x, ValueId w) {
    const auto& scales = graph.value(w).quant->params.scales;
    Tensor real(DType::kF32, {graph.value(w).shape[0]});
    for (size_t n = 0; n < real.span<float>().size(); ++n) {
      const float scale =
          static_cast<float>(static_cast<double>(graph.value(x).quant->params.scales[0]) *
                             static_cast<double>(scales[scales.size() == 1 ? 0 : n]));
      real.span<float>()[n] =
          static_cast<float>((static_cast<double>(n) * 37.0 - 50.0) * static_cast<double>(scale));
    }
    return graph.add_constant(name, std::move(real));
  }
  Graph finish(ValueId output, Phase phase = Phase::kAnnotated) {
    graph.outputs = {output};
    graph.phase = phase;
    graph.infer_shapes();
    verify(graph, phase);
    return graph;
  }
};

QuantParams per_channel(int bits, RangeKind range, int axis = 0) {
  const auto codes = numeric::code_range(range, bits);
  return {.bits = bits,
          .range = range,
          .qmin = codes.qmin,
          .qmax = codes.qmax,
          .granularity = Granularity::kChannel,
          .axis = axis,
          .scales = {},
          .zero_points = {}};
}

model::Attributes clip(float low, float high) {
  model::Attributes attributes;
  attributes.set(Attr::clip_min, low);
  if (high < std::numeric_limits<float>::infinity()) attributes.set(Attr::clip_max, high);
  return attributes;
}

Graph conv_pool_gemm(QuantParams weights, QuantParams between) {
  Builder b;
  const ValueId x = b.input("x", {kUnknownDim, 3, 8, 8});
  b.quantize(x, activation(8, 0.02f, 114));
  const ValueId w = b.weights("conv.weight", {40, 3, 3, 3}, weights);
  auto attributes = clip(0.0f, std::numeric_limits<float>::infinity());
  attributes.set(Attr::pads, std::vector<int64_t>{1, 1, 1, 1});
  const ValueId c = b.node(Op::kConv, "conv", {x, w, b.bias("conv.bias", x, w)}, attributes);
  b.quantize(c, between);
  const ValueId p = b.node(Op::kGlobalAveragePool, "pool", {c});
  b.quantize(p, between);
  model::Attributes flat;
  flat.set(Attr::axis, int64_t{1});
  const ValueId f = b.node(Op::kFlatten, "flatten", {p}, flat);
  b.quantize(f, between);
  const ValueId w2 = b.weights("fc.weight", {10, 40}, weights);
  model::Attributes trans;
  trans.set(Attr::transB, int64_t{1});
  const ValueId y = b.node(Op::kGemm, "fc", {f, w2, b.bias("fc.bias", f, w2)}, trans);
  b.quantize(y, activation(8, 0.3f, 99));
  return b.finish(y);
}

TEST(RoundTrip, EightBits) {
  expect_round_trip(conv_pool_gemm(per_channel(8, RangeKind::kRestricted), activation(8, 0.1f, 0)),
                    21, 13);
  expect_round_trip(conv_pool_gemm(per_channel(8, RangeKind::kAsymmetric), activation(8, 0.1f, 3)),
                    25, 13);
  expect_round_trip(conv_pool_gemm(per_channel(8, RangeKind::kFull),
                                   signed_activation(8, RangeKind::kRestricted, 0.2f)),
                    21, 13);
}

TEST(RoundTrip, EveryWidthOfWeightsAndActivations) {
  for (int bits = 2; bits <= 7; ++bits)
    for (const RangeKind range :
         {RangeKind::kRestricted, RangeKind::kFull, RangeKind::kAsymmetric}) {
      SCOPED_TRACE(std::to_string(bits) + " bits");
      const Graph graph = conv_pool_gemm(per_channel(bits, range), activation(bits, 0.4f, 0));
      const int opset = bits <= 4 ? 21 : 13;
      expect_round_trip(graph, 21, opset);
      expect_round_trip(graph, 25, bits == 2 ? 25 : opset);
      expect_round_trip(graph, 13, 13);
    }
}

QuantParams small_grid(numeric::GridId grid) {
  QuantParams params = per_channel(2, RangeKind::kRestricted);
  params.grid = grid;
  params.bits = grid == numeric::GridId::kBinary ? 1 : 2;
  return params;
}

QuantParams signs(float scale) {
  QuantParams params = small_grid(numeric::GridId::kBinary);
  params.granularity = Granularity::kTensor;
  params.scales = {scale};
  return params;
}

TEST(RoundTrip, BinaryAndTernaryWeights) {
  const Graph binary = conv_pool_gemm(small_grid(numeric::GridId::kBinary), activation(8, 0.1f, 0));
  const Graph ternary =
      conv_pool_gemm(small_grid(numeric::GridId::kTernary), activation(8, 0.1f, 0));
  for (const Graph* graph : {&binary, &ternary}) {
    expect_round_trip(*graph, 13, 13);
    expect_round_trip(*graph, 21, 21);
    expect_round_trip(*graph, 25, 25);
  }
  EXPECT_EQ(export_onnx(binary, 21).notes[0], "conv.weight: 1-bit codes stored as int4");
}

TEST(RoundTrip, OneBitActivations) {
  expect_round_trip(conv_pool_gemm(per_channel(8, RangeKind::kRestricted), activation(1, 0.4f, 0)),
                    13, 13);
  expect_round_trip(conv_pool_gemm(per_channel(8, RangeKind::kRestricted), activation(1, 0.4f, 0)),
                    25, 25);
}

/// x -> conv -> signs -> conv -> signs -> gemm: signs of sums, of real numbers and of codes, one of
/// them an output of the graph.
TEST(RoundTrip, Signs) {
  Builder b;
  const ValueId x = b.input("x", {kUnknownDim, 3, 8, 8});
  b.quantize(x, signs(0.75f));
  const ValueId w = b.weights("w", {5, 3, 3, 3}, small_grid(numeric::GridId::kBinary));
  const ValueId c = b.node(Op::kConv, "conv", {x, w, b.bias("conv.bias", x, w)});
  b.quantize(c, signs(0.5f));
  const ValueId e = b.node(Op::kExp, "exp", {c});
  b.quantize(e, activation(8, 0.1f, 3));
  const ValueId narrow = b.node(Op::kRequantize, "narrow", {e});
  b.quantize(narrow, signs(0.25f));
  const ValueId w2 = b.weights("w2", {4, 5, 1, 1}, small_grid(numeric::GridId::kBinary));
  const ValueId y = b.node(Op::kConv, "last", {narrow, w2});
  b.quantize(y, signs(1.5f));
  const ValueId sum = b.node(Op::kAdd, "sum", {e, e});
  b.quantize(sum, activation(8, 0.2f, 0));
  const Graph graph = b.finish(y);
  expect_round_trip(graph, 13, 13);
  const OnnxExport file = export_onnx(graph, 13);
  EXPECT_EQ(file.notes[0], "x: 1-bit codes -1 and +1 written as Less and Where");
  // Without our metadata a threshold that is not 0 says something else.
  const Graph plain = testing::reimport(file.bytes, false);
  EXPECT_EQ(std::count_if(plain.nodes.begin(), plain.nodes.end(),
                          [](const graph::Node& n) { return n.op == Op::kWhere; }),
            4);
}

TEST(RoundTrip, SixteenBits) {
  expect_round_trip(conv_pool_gemm(per_channel(8, RangeKind::kRestricted),
                                   signed_activation(16, RangeKind::kRestricted, 0.001f)),
                    21, 21);
  EXPECT_THROW(export_onnx(conv_pool_gemm(per_channel(8, RangeKind::kRestricted),
                                          signed_activation(16, RangeKind::kFull, 0.001f)),
                           13),
               Error);
}

TEST(RoundTrip, Blocks) {
  for (const auto& [axis, block_axis] : {std::pair{0, 1}, std::pair{1, 0}}) {
    Builder b;
    const ValueId x = b.input("x", {kUnknownDim, 70});
    const QuantParams params = {.bits = 4,
                                .range = RangeKind::kFull,
                                .qmin = -8,
                                .qmax = 7,
                                .granularity = Granularity::kBlock,
                                .axis = axis,
                                .block_axis = block_axis,
                                .group = 32,
                                .scales = {},
                                .zero_points = {}};
    const bool transposed = axis == 0;
    const ValueId w = b.weights("w", transposed ? Shape{6, 70} : Shape{70, 6}, params);
    model::Attributes attributes;
    if (transposed) attributes.set(Attr::transB, int64_t{1});
    const ValueId y = b.node(transposed ? Op::kGemm : Op::kMatMul, "fc", {x, w}, attributes);
    expect_round_trip(b.finish(y), 21, 21);
  }
}

TEST(RoundTrip, RequantizedResidualAndCopiesOnOtherGrids) {
  Builder b;
  const ValueId x = b.input("x", {1, 4});
  b.quantize(x, activation(8, 0.1f, 7));
  const ValueId narrow = b.node(Op::kRequantize, "narrow", {x});
  b.quantize(narrow, activation(4, 1.5f, 3));
  const ValueId wide = b.node(Op::kRequantize, "other", {x});
  b.quantize(wide, activation(8, 0.3f, 1));
  const ValueId sum = b.node(Op::kAdd, "sum", {narrow, wide}, clip(0.0f, 6.0f));
  b.quantize(sum, activation(8, 6.0f / 255, 0));
  const ValueId e = b.node(Op::kExp, "exp", {sum});  // stays real, and is read on a grid as well
  const ValueId copy = b.node(Op::kRequantize, "copy", {e});
  b.quantize(copy, activation(8, 2.0f, 0));
  const ValueId y = b.node(Op::kMul, "mul", {e, copy});
  expect_round_trip(b.finish(y), 21, 21);
}

TEST(RoundTrip, NarrowInput) {
  Builder b;
  const ValueId x = b.input("x", {1, 4});
  b.quantize(x, activation(3, 0.1f, 2));
  const ValueId y = b.node(Op::kRelu, "relu", {x});
  b.quantize(y, activation(3, 0.1f, 2));
  // A grid with codes below zero does not swallow the Relu.
  expect_round_trip(b.finish(y), 21, 21);
}

TEST(RoundTrip, FloatGraphInEveryOpset) {
  Builder b;
  const ValueId x = b.input("x", {kUnknownDim, 4, 6, 6});
  model::Attributes keep;
  keep.set(Attr::keepdims, int64_t{1});
  const int64_t axes[] = {2, 3};
  const ValueId axes_id = b.graph.add_constant("axes", Tensor::of<int64_t>({2}, axes));
  const ValueId mean = b.node(Op::kReduceMean, "mean", {x, axes_id}, keep);
  const ValueId centred = b.node(Op::kSub, "centred", {x, mean});
  const float bounds[] = {-1.0f, 1.0f};
  const ValueId lo = b.graph.add_constant("lo", Tensor::of<float>({}, std::span(bounds, 1)));
  const ValueId hi = b.graph.add_constant("hi", Tensor::of<float>({}, std::span(bounds + 1, 1)));
  const ValueId clipped = b.node(Op::kClip, "clipped", {centred, lo, hi});
  model::Attributes last;
  last.set(Attr::axis, int64_t{-1});
  const ValueId y = b.node(Op::kSoftmax, "softmax", {clipped}, last);
  const Graph graph = b.finish(y, Phase::kFloat);
  const Graph again = testing::reimport(export_onnx(graph).bytes);
  EXPECT_EQ(again.nodes.size(), graph.nodes.size());
  EXPECT_EQ(again.nodes[0].attributes.entries(), graph.nodes[0].attributes.entries());
  EXPECT_EQ(again.value(again.outputs[0]).shape, graph.value(graph.outputs[0]).shape);

  Builder g;
  const ValueId z = g.node(Op::kGelu, "gelu", {g.input("x", {3})});
  expect_round_trip(g.finish(z, Phase::kFloat), 21, 21);
}

}  // namespace
}  // namespace nibble::exporter
