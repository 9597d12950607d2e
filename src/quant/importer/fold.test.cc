// Q/DQ pairs, as other tools write them.

#include <gtest/gtest.h>

#include "quant/importer/testing.h"

namespace nibble::importer {
namespace {

using graph::Attr;
using graph::Graph;
using graph::Op;
using graph::Phase;
using numeric::Granularity;
using numeric::QuantParams;
using numeric::RangeKind;
using onnx::ElementType;
using testing::ModelBuilder;

const QuantParams* grid(const Graph& graph, const std::string& name) {
  const graph::ValueId id = graph.find(name);
  if (id == graph::kNoValue || !graph.value(id).quant) return nullptr;
  return &graph.value(id).quant->params;
}

/// x -> Q -> DQ -> MatMul by dequantised weights `w_q` of `type` (2 x 2) -> y.
ModelBuilder matmul(ElementType type, const std::string& codes, bool per_channel = false) {
  ModelBuilder m(21);
  m.input("x", {-1, 2}).output("y");
  m.floats("s", {}, {0.5f});
  m.raw("z", {}, ElementType::kUint8, "\x07");
  m.raw("w_q", {2, 2}, type, codes);
  if (per_channel)
    m.floats("w_s", {2}, {0.25f, 2.0f});
  else
    m.floats("w_s", {}, {0.25f});
  m.node("QuantizeLinear", {"x", "s", "z"}, {"x_q"}, "q");
  m.node("DequantizeLinear", {"x_q", "s", "z"}, {"x_d"}, "dq");
  m.node("DequantizeLinear", {"w_q", "w_s"}, {"w"}, "dw");
  m.node("MatMul", {"x_d", "w"}, {"y"}, "mm");
  return m;
}

TEST(Fold, PairAndWeights) {
  const Graph g = matmul(ElementType::kInt8, "\x01\xfe\x7f\x81").import();
  EXPECT_EQ(g.phase, Phase::kAnnotated);
  ASSERT_EQ(g.nodes.size(), 1u);
  EXPECT_EQ(g.value(g.nodes[0].inputs[0]).name, "x");
  const QuantParams* x = grid(g, "x");
  ASSERT_TRUE(x);
  EXPECT_EQ(x->zero_point(0), 7);
  EXPECT_EQ(x->qmax, 255);
  const QuantParams* w = grid(g, "w");
  ASSERT_TRUE(w);
  EXPECT_EQ(w->range, RangeKind::kRestricted);
  EXPECT_EQ(w->qmin, -127);
  const auto real = g.value(g.find("w")).constant->span<float>();
  EXPECT_EQ(std::vector<float>(real.begin(), real.end()),
            (std::vector<float>{0.25f, -0.5f, 31.75f, -31.75f}));
  EXPECT_EQ(g.find("w_q"), graph::kNoValue) << "codes are kept";
}

TEST(Fold, TheLowestCodeMakesTheRangeFullAndAxisDefaultsToOne) {
  const Graph g = matmul(ElementType::kInt4, "\x81\x07", true).import();
  const QuantParams* w = grid(g, "w");
  ASSERT_TRUE(w);
  EXPECT_EQ(w->range, RangeKind::kFull);
  EXPECT_EQ(w->bits, 4);
  EXPECT_EQ(w->granularity, Granularity::kChannel);
  EXPECT_EQ(w->axis, 1);
  const auto real = g.value(g.find("w")).constant->span<float>();
  EXPECT_EQ(real[1], -16.0f);  // code -8, scale 2
}

TEST(Fold, OffLeavesOps) {
  const Graph g = matmul(ElementType::kInt8, "\x01\xfe\x7f\x81").import(false);
  EXPECT_EQ(g.phase, Phase::kFloat);
  EXPECT_EQ(g.nodes.size(), 4u);
}

TEST(Fold, AnActivationThatIsAlsoReadUnquantisedIsRequantized) {
  ModelBuilder m = matmul(ElementType::kInt8, "\x01\xfe\x7f\x81");
  m.node("Neg", {"x"}, {"n"}, "neg");
  m.output("n");
  const Graph g = m.import();
  EXPECT_FALSE(grid(g, "x"));
  ASSERT_TRUE(grid(g, "x_d"));
  EXPECT_EQ(g.nodes[0].op, Op::kRequantize);
  EXPECT_EQ(g.nodes[0].name, "q");
}

TEST(Fold, PairsThatDifferOrWhoseCodesAreReadStayOps) {
  ModelBuilder differ = matmul(ElementType::kInt8, "\x01\xfe\x7f\x81");
  differ.floats("s2", {}, {0.25f});
  differ.graph().mutable_node(1)->set_input(1, "s2");
  EXPECT_EQ(differ.import().nodes.size(), 3u);
  ModelBuilder read = matmul(ElementType::kInt8, "\x01\xfe\x7f\x81");
  read.output("x_q");
  EXPECT_EQ(read.import().nodes.size(), 3u);
  ModelBuilder negative = matmul(ElementType::kInt8, "\x01\xfe\x7f\x81");
  negative.floats("s3", {}, {-0.5f});
  negative.graph().mutable_node(0)->set_input(1, "s3");
  negative.graph().mutable_node(1)->set_input(1, "s3");
  EXPECT_EQ(negative.import().nodes.size(), 3u);
}

/// x -> MatMul -> `op` (Relu or Clip 0..high) -> Q -> DQ -> y, scale 0.1.
Graph behind(const std::string& op, uint8_t zero, float high) {
  ModelBuilder m(13);
  m.input("x", {1, 2}).output("y");
  m.floats("w", {2, 2}, {1, 2, 3, 4});
  m.floats("lo", {}, {0.0f});
  m.floats("hi", {}, {high});
  m.floats("s", {}, {0.1f});
  m.raw("z", {}, ElementType::kUint8, std::string(1, static_cast<char>(zero)));
  m.node("MatMul", {"x", "w"}, {"c"}, "mm");
  if (op == "Relu")
    m.node("Relu", {"c"}, {"r"}, "act");
  else
    m.node("Clip", {"c", "lo", "hi"}, {"r"}, "act");
  m.node("QuantizeLinear", {"r", "s", "z"}, {"r_q"}, "q");
  m.node("DequantizeLinear", {"r_q", "s", "z"}, {"y"}, "dq");
  return m.import();
}

TEST(Fold, ClipsBecomeBoundsOrNarrowerCodes) {
  Graph g = behind("Relu", 0, 0);
  ASSERT_EQ(g.nodes.size(), 1u);
  EXPECT_EQ(g.nodes[0].attributes.get_float(Attr::clip_min, -1.0f), 0.0f);
  EXPECT_EQ(g.value(g.outputs[0]).name, "y");

  g = behind("Clip", 0, 6.0f);  // codes 0..60: not a width
  ASSERT_EQ(g.nodes.size(), 1u);
  EXPECT_EQ(g.nodes[0].attributes.get_float(Attr::clip_max, 0.0f), 6.0f);
  EXPECT_EQ(grid(g, "y")->bits, 8);

  g = behind("Clip", 0, 1.5f);  // codes 0..15
  ASSERT_EQ(g.nodes.size(), 1u);
  EXPECT_FALSE(g.nodes[0].attributes.has(Attr::clip_max));
  EXPECT_EQ(grid(g, "y")->bits, 4);
  EXPECT_EQ(grid(g, "y")->qmax, 15);

  g = behind("Clip", 200, 1.5f);  // codes 200..215: the zero point is no code of four bits
  EXPECT_EQ(grid(g, "y")->bits, 8);
  EXPECT_EQ(g.nodes[0].attributes.get_float(Attr::clip_max, 0.0f), 1.5f);
}

TEST(Fold, StatedBitsMustHoldTheCodes) {
  ModelBuilder m = matmul(ElementType::kInt8, "\x01\xfe\x03\xfd");
  auto& entry = *m.model.add_metadata_props();
  entry.set_key("nibble.bits.w");
  entry.set_value("3");
  const Graph g = m.import();
  EXPECT_EQ(grid(g, "w")->bits, 3);
  EXPECT_EQ(grid(g, "w")->range, RangeKind::kRestricted);
  EXPECT_TRUE(g.metadata.empty());
  entry.set_value("2");
  EXPECT_EQ(m.error(), "metadata 'nibble.bits.w': code 3 does not fit 2 bits");
  entry.set_value("9");
  EXPECT_EQ(m.error(), "metadata 'nibble.bits.w': found '9', expected T (signed types) or 1 to 8");
  entry.set_value("3x");
  EXPECT_EQ(m.error(), "metadata 'nibble.bits.w': found '3x', expected T (signed types) or 1 to 8");
}

TEST(Fold, StatedOneBitAndTernaryWeights) {
  const auto stated = [](ElementType type, const std::string& codes, const std::string& bits) {
    ModelBuilder m = matmul(type, codes);
    auto& entry = *m.model.add_metadata_props();
    entry.set_key("nibble.bits.w");
    entry.set_value(bits);
    return m;
  };
  const Graph binary = stated(ElementType::kInt8, "\x01\xff\x01\x01", "1").import();
  EXPECT_EQ(grid(binary, "w")->grid, numeric::GridId::kBinary);
  EXPECT_EQ(grid(binary, "w")->bits, 1);
  const std::string with_zero("\x01\xff\x00\x01", 4);
  EXPECT_EQ(stated(ElementType::kInt8, with_zero, "1").error(),
            "metadata 'nibble.bits.w': code 0 does not fit 1 bits");
  const Graph ternary = stated(ElementType::kInt8, with_zero, "T").import();
  EXPECT_EQ(grid(ternary, "w")->grid, numeric::GridId::kTernary);
  EXPECT_EQ(grid(ternary, "w")->bits, 2);
  EXPECT_EQ(stated(ElementType::kInt8, "\x01\xfe\x01\x01", "T").error(),
            "metadata 'nibble.bits.w': code -2 does not fit 2 bits");
  const Graph affine =
      stated(ElementType::kUint8, with_zero.substr(2) + with_zero.substr(2), "1").import();
  EXPECT_EQ(grid(affine, "w")->grid, numeric::GridId::kAffine);
  EXPECT_EQ(grid(affine, "w")->bits, 1);
  EXPECT_EQ(stated(ElementType::kUint8, with_zero, "T").error(),
            "metadata 'nibble.bits.w': found 'T', expected T (signed types) or 1 to 8");
}

/// x -> Where(x < t, -0.5, 0.5) -> Neg -> y.
TEST(Fold, SignsOfOurOwnExportsAlone) {
  const auto signs = [](float threshold, float low, bool ours) {
    ModelBuilder m(13);
    m.input("x", {-1, 2}).output("y");
    m.floats("t", {}, {threshold});
    m.floats("low", {}, {low});
    m.floats("high", {}, {0.5f});
    m.node("Less", {"x", "t"}, {"negative"}, "less");
    m.node("Where", {"negative", "low", "high"}, {"signs"}, "where");
    m.node("Neg", {"signs"}, {"y"}, "neg");
    if (ours) {
      auto& entry = *m.model.add_metadata_props();
      entry.set_key("nibble.bits.signs");
      entry.set_value("1");
    }
    return m.import();
  };
  for (float threshold : {0.0f, -0.01f}) {
    const Graph g = signs(threshold, -0.5f, true);
    ASSERT_EQ(g.nodes.size(), 1u);
    ASSERT_TRUE(grid(g, "x"));
    EXPECT_EQ(grid(g, "x")->grid, numeric::GridId::kBinary);
    EXPECT_EQ(grid(g, "x")->scales, (std::vector<float>{0.5f}));
  }
  EXPECT_EQ(signs(0, -0.5f, false).nodes.size(), 3u);
  EXPECT_EQ(signs(0, -0.5f, false).phase, Phase::kFloat);
  EXPECT_EQ(signs(0, -0.25f, true).nodes.size(), 3u);  // not symmetric
}

}  // namespace
}  // namespace nibble::importer
