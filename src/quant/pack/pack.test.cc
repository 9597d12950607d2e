#include "quant/pack/pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "quant/graph/error.h"

namespace nibble::pack {
namespace {

using format::FormatId;
using graph::Attr;
using graph::Graph;
using graph::Op;
using graph::ValueId;
using testing::HasSubstr;

Tensor codes(const Shape& shape, int bits, bool is_signed) {
  Tensor t(is_signed ? DType::kI8 : DType::kU8, shape);
  const int half = is_signed ? 1 << (bits - 1) : 0;
  for (int64_t i = 0; i < t.size(); ++i)
    t.span<int8_t>()[static_cast<size_t>(i)] =
        static_cast<int8_t>((i * 5 + 3) % (1 << bits) - half);
  return t;
}

graph::QuantInfo grid(int bits, bool is_signed, int64_t channels) {
  graph::QuantInfo info;
  auto& q = info.params;
  q.bits = bits;
  q.range = is_signed ? numeric::RangeKind::kFull : numeric::RangeKind::kAsymmetric;
  q.qmin = is_signed ? -(1 << (bits - 1)) : 0;
  q.qmax = q.qmin + (1 << bits) - 1;
  q.granularity = numeric::Granularity::kChannel;
  q.scales.assign(static_cast<size_t>(channels), 0.5f);
  return info;
}

// x -> QConv/QGemm with weights of `shape` -> y.
Graph weighted(Op op, const Shape& shape, int bits, bool is_signed, int64_t group) {
  Graph g;
  g.source = "g.onnx";
  g.phase = graph::Phase::kInteger;
  const ValueId x = g.add_value("x", DType::kI8, {kUnknownDim, 4});
  g.add_value("nobody reads this", DType::kF32, {1});
  const ValueId w = g.add_constant("w", codes(shape, bits, is_signed));
  g.value(w).quant = grid(bits, is_signed, shape[0]);
  const ValueId b = g.add_constant("b", Tensor(DType::kI32, {shape[0]}));
  const ValueId m = g.add_constant("m", Tensor(DType::kF32, {shape[0]}));
  const ValueId y = g.add_value("y", DType::kI8, {kUnknownDim, 4});
  graph::Node node{op, "n", {}, {x, w, b, m}, {y}};
  node.attributes.set(Attr::group, group);
  g.nodes.push_back(std::move(node));
  g.inputs = {x};
  g.outputs = {y};
  return g;
}

const model::TensorInfo& tensor(const model::Model& m, const std::string& name) {
  for (const auto& t : m.tensors)
    if (t.name == name) return t;
  throw std::runtime_error("no tensor " + name);
}

void expect_codes(const model::TensorInfo& t, const Tensor& original) {
  std::vector<uint8_t> rows(static_cast<size_t>(original.size()));
  format::unpack_to_rows(t.packed, t.data.data(), rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    const int q =
        original.dtype() == DType::kI8 ? original.span<int8_t>()[i] : original.span<uint8_t>()[i];
    ASSERT_EQ(rows[i] - t.packed.offset, q) << i;
  }
}

TEST(Pack, WeightsAtEveryWidth) {
  for (int bits = 1; bits <= 8; ++bits)
    for (bool is_signed : {true, false}) {
      const Graph g = weighted(Op::kQConv, {6, 3, 3, 2}, bits, is_signed, 2);
      const auto m = pack(g);
      const auto& w = tensor(*m, "w");
      EXPECT_EQ(w.packed, format::make_record(bits, is_signed, 2, 3, 3, 3, 2));
      EXPECT_FALSE(w.quant);
      expect_codes(w, *g.value(g.find("w")).constant);
      EXPECT_EQ(m->tensors.size(), 5u);  // the value that nobody names is gone
    }
}

TEST(Pack, FormFollowsOpAndShape) {
  const auto record = [](Op op, const Shape& shape, int64_t group) {
    const Graph g = weighted(op, shape, 4, true, group);
    const auto m = pack(g);
    expect_codes(tensor(*m, "w"), *g.value(g.find("w")).constant);
    return tensor(*m, "w").packed;
  };
  EXPECT_EQ(record(Op::kQConv, {5, 3, 3, 1}, 5), format::make_depthwise_record(4, true, 5, 3, 3));
  // A depth multiplier of 2 and a 1-D depthwise filter are grouped convolutions.
  EXPECT_EQ(record(Op::kQConv, {6, 3, 3, 1}, 3), format::make_record(4, true, 3, 2, 3, 3, 1));
  EXPECT_EQ(record(Op::kQConv, {5, 3, 1}, 5), format::make_record(4, true, 5, 1, 1, 3, 1));
  EXPECT_EQ(record(Op::kQConv, {5, 3, 3, 1}, 1), format::make_record(4, true, 1, 5, 3, 1, 3));
  EXPECT_EQ(record(Op::kQConv, {5, 3, 2, 3}, 1), format::make_record(4, true, 1, 5, 3, 1, 6));
  EXPECT_EQ(record(Op::kQConv, {5, 49, 1}, 1), format::make_record(4, true, 1, 5, 1, 49, 1));
  EXPECT_EQ(record(Op::kQConv, {5, 3, 2, 4}, 1), format::make_record(4, true, 1, 5, 3, 2, 4));
  EXPECT_EQ(record(Op::kQConv, {5, 2, 3, 4, 7}, 1), format::make_record(4, true, 1, 5, 6, 4, 7));
  EXPECT_EQ(record(Op::kQGemm, {5, 70}, 1), format::make_record(4, true, 1, 5, 1, 1, 70));
}

TEST(Pack, IslandWeightsArePackedBelowEightBits) {
  for (int bits : {4, 8}) {
    Graph g;
    g.phase = graph::Phase::kInteger;
    const ValueId w = g.add_constant("w", codes({8, 6}, bits, true));
    g.value(w).quant = grid(bits, true, 8);
    const ValueId s = g.add_constant("s", Tensor(DType::kF32, {8}));
    const ValueId y = g.add_value("y", DType::kF32, {8, 6});
    g.nodes.push_back({Op::kDequantizeLinear, "dq", {}, {w, s}, {y}});
    g.outputs = {y};
    EXPECT_EQ(tensor(*pack(g), "w").packed.format, bits == 4 ? FormatId::kField : FormatId::kPlain);
    g.outputs.push_back(w);  // read as it is: stays dense
    EXPECT_EQ(tensor(*pack(g), "w").packed.format, FormatId::kPlain);
  }
}

TEST(Pack, OtherPhasesStayDenseWithTheirGrids) {
  Graph g = weighted(Op::kQGemm, {5, 7}, 4, true, 1);
  g.phase = graph::Phase::kAnnotated;
  g.nodes[0].op = Op::kMatMul;
  g.nodes[0].inputs.resize(2);
  const auto m = pack(g);
  EXPECT_EQ(m->phase, model::Phase::kAnnotated);
  EXPECT_EQ(tensor(*m, "w").packed.format, FormatId::kPlain);
  EXPECT_EQ(tensor(*m, "w").quant, g.value(g.find("w")).quant->params);
}

TEST(Pack, SmallConstantsThatHoldTheSameAreOneTensor) {
  Graph g;
  const auto scalar = [&](float v) {
    return g.add_constant("c", Tensor::of<float>({}, std::span<const float>(&v, 1)));
  };
  const graph::ValueId x = g.add_value("x", DType::kF32, {4});
  const graph::ValueId one = scalar(1), same = scalar(1), zero = scalar(0), minus = scalar(-0.0f);
  const float ones[] = {1};
  const graph::ValueId vector = g.add_constant("v", Tensor::of<float>({1}, std::span(ones)));
  graph::ValueId last = x;
  for (graph::ValueId c : {one, same, zero, minus, vector}) {
    const graph::ValueId y = g.add_value("y", DType::kF32, {4});
    g.nodes.push_back({graph::Op::kAdd, "add" + std::to_string(c), {}, {last, c}, {y}});
    last = y;
  }
  // A constant that the model gives out keeps its name.
  const graph::ValueId out = scalar(1);
  g.inputs = {x};
  g.outputs = {last, out};
  const auto m = pack(g);
  int constants = 0;
  for (const auto& t : m->tensors) constants += t.is_constant;
  EXPECT_EQ(constants, 5);
  EXPECT_EQ(m->nodes[0].inputs[1], m->nodes[1].inputs[1]);
  EXPECT_NE(m->nodes[2].inputs[1], m->nodes[3].inputs[1]);
  EXPECT_EQ(m->tensors[static_cast<size_t>(m->outputs[1])].name, g.value(out).name);
}

TEST(Pack, Deterministic) {
  const Graph g = weighted(Op::kQGemm, {5, 7}, 3, true, 1);
  const Buffer a = pack_nbl(g), b = pack_nbl(g.clone());
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size()), 0);
}

TEST(Pack, RefusesWhatHasNoPackedForm) {
  const auto message = [](const Graph& g) -> std::string {
    try {
      pack(g);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  Graph g = weighted(Op::kQGemm, {5, 7}, 3, true, 1);
  g.value(g.find("w")).quant.reset();
  EXPECT_THAT(message(g), HasSubstr("node 'n': weights 'w' are not constant 8-bit codes"));
  g = weighted(Op::kQGemm, {5, 7}, 8, true, 1);
  g.value(g.find("w")).quant = grid(3, true, 5);
  EXPECT_THAT(message(g), HasSubstr("does not fit 3 bits"));
  g = weighted(Op::kQConv, {5, 3, 3, 1}, 8, true, 2);
  EXPECT_THAT(message(g), HasSubstr("do not divide into 2 groups"));
  g = weighted(Op::kQGemm, {5, 7}, 8, true, 1);
  g.nodes.push_back(
      {Op::kIdentity, "i", {}, {g.find("w")}, {g.add_value("z", DType::kI8, {5, 7})}});
  EXPECT_THAT(message(g), HasSubstr("also read as a dense tensor"));
}

TEST(Pack, SizeRule) {
  const Graph g = weighted(Op::kQGemm, {40, 100}, 4, true, 1);
  const SizeRule rule = size_rule(g);
  EXPECT_EQ(rule.packed_stream_bytes, 64 * 128 / 2);
  EXPECT_EQ(rule.scale_bytes, 12 * 40);
  EXPECT_EQ(rule.float_bytes, 0);
  EXPECT_EQ(rule.limit_bytes, (4096 + 480) * 105 / 100 + 32000);
  EXPECT_LE(static_cast<int64_t>(pack_nbl(g).size()), rule.limit_bytes);
}

}  // namespace
}  // namespace nibble::pack
