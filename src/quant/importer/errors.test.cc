// Files are not trusted: each fault gives one line that names file and node, never a crash.

#include <gtest/gtest.h>

#include <random>

#include "quant/importer/testing.h"

namespace nibble::importer {
namespace {

using onnx::ElementType;
using testing::Folder;
using testing::ModelBuilder;

ModelBuilder relu() {
  ModelBuilder m;
  m.input("x", {2}).output("y");
  m.node("Relu", {"x"}, {"y"}, "act");
  return m;
}

TEST(Errors, UnknownOpsAllAtOnce) {
  ModelBuilder m;
  m.input("x", {2}).output("y");
  m.node("Foo", {"x"}, {"a"}, "n1");
  m.node("If", {"a"}, {"b"});
  m.node("Foo", {"b"}, {"c"}, "n3");
  auto& ours = m.node("Gelu", {"c"}, {"y"}, "n4");
  ours.set_domain("my.domain");
  EXPECT_EQ(m.error(),
            "ops that nibble does not know: Foo (n1, n3); If (If_1); my.domain::Gelu (n4)");
}

TEST(Errors, OpsetOutsideTheRange) {
  for (const int opset : {6, 27, -1}) {
    ModelBuilder m = relu();
    m.model.mutable_opset_import(0)->set_version(opset);
    EXPECT_EQ(m.error(), "opset " + std::to_string(opset) + ", expected 7 to 26");
  }
  ModelBuilder m = relu();
  m.model.clear_opset_import();
  EXPECT_EQ(m.error(), "states no opset, expected 7 to 26");
}

TEST(Errors, Wiring) {
  ModelBuilder missing = relu();
  missing.graph().mutable_node(0)->set_input(0, "z");
  EXPECT_EQ(missing.error(),
            "node 'act': Relu: input 'z' is made by no node and is no input or initialiser");
  ModelBuilder twice = relu();
  twice.node("Neg", {"x"}, {"y"}, "again");
  EXPECT_EQ(twice.error(), "node 'again': value 'y' is made twice");
  ModelBuilder cycle = relu();
  cycle.graph().mutable_node(0)->set_input(0, "y");
  EXPECT_EQ(cycle.error(), "node 'act': is part of a cycle; a graph must be acyclic");
  ModelBuilder none = relu();
  none.graph().mutable_output(0)->set_name("q");
  EXPECT_EQ(none.error(), "graph output 'q' is made by no node");
  ModelBuilder arity = relu();
  arity.graph().mutable_node(0)->add_input("x");
  EXPECT_EQ(arity.error(), "node 'act': Relu: found 2 inputs, expected 1 to 1");
  ModelBuilder silent = relu();
  silent.node("Relu", {"x"}, {}, "mute");
  EXPECT_EQ(silent.error(), "node 'mute': Relu: has no outputs");
}

TEST(Errors, InputsAndAttributes) {
  ModelBuilder rank = relu();
  rank.graph().clear_input();
  rank.input("x", std::vector<int64_t>(9, 1));
  EXPECT_EQ(rank.error(), "graph input 'x' has more than 8 dimensions");
  ModelBuilder text = relu();
  text.graph().clear_input();
  text.input("x", {2}, ElementType::kString);
  EXPECT_EQ(text.error(), "graph input 'x' has element type string, which is not supported");
  ModelBuilder attribute = relu();
  ModelBuilder::set(*attribute.graph().mutable_node(0), "spin", 3.0f);
  EXPECT_EQ(attribute.error(), "node 'act': Relu: attribute 'spin' is not known (opset 13)");
  ModelBuilder kind = relu();
  kind.graph().mutable_node(0)->set_op_type("Softmax");
  ModelBuilder::set(*kind.graph().mutable_node(0), "axis", 1.0f);
  EXPECT_EQ(kind.error(), "node 'act': Softmax: attribute 'axis' has type 1, expected 2");
}

TEST(Errors, NotAModel) {
  const Folder folder;
  EXPECT_EQ(ModelBuilder::error_of((folder.path / "none.onnx").string()),
            "cannot be read: No such file or directory");
  EXPECT_EQ(ModelBuilder::error_of(folder.path.string()), "cannot be read: not a regular file");
  EXPECT_EQ(ModelBuilder::error_of(folder.write("empty.onnx", "")),
            "not an ONNX model: it has no graph");
  EXPECT_EQ(ModelBuilder::error_of(folder.write("text.onnx", "once upon a time")),
            "not an ONNX model (or damaged): protobuf does not parse");
}

/// A quantised convolution with everything a file can hold: raw and typed tensors, Constant, Q/DQ.
ModelBuilder quantised_model() {
  ModelBuilder m(21);
  m.input("x", {-1, 2, 4, 4}).output("y");
  m.floats("s", {}, {0.1f});
  m.raw("z", {}, ElementType::kUint8, "\x05");
  m.raw("w_q", {3, 2, 3, 3}, ElementType::kInt4, std::string(27, '\x3a'));
  m.floats("w_s", {3}, {0.1f, 0.2f, 0.3f});
  auto& b = *m.graph().add_initializer();
  ModelBuilder::fill(b, "b_q", {3}, ElementType::kInt32);
  for (const int q : {5, -6, 7}) b.add_int32_data(q);
  m.floats("b_s", {3}, {0.01f, 0.02f, 0.03f});
  m.node("QuantizeLinear", {"x", "s", "z"}, {"x_q"}, "q");
  m.node("DequantizeLinear", {"x_q", "s", "z"}, {"x_d"}, "dq");
  ModelBuilder::set(m.node("DequantizeLinear", {"w_q", "w_s"}, {"w"}, "dw"), "axis", int64_t{0});
  ModelBuilder::set(m.node("DequantizeLinear", {"b_q", "b_s"}, {"b"}, "db"), "axis", int64_t{0});
  ModelBuilder::set_list(m.node("Conv", {"x_d", "w", "b"}, {"c"}, "conv"), "pads", {1, 1, 1, 1});
  m.node("Relu", {"c"}, {"r"}, "relu");
  m.node("QuantizeLinear", {"r", "s", "z"}, {"r_q"}, "q2");
  m.node("DequantizeLinear", {"r_q", "s", "z"}, {"r_d"}, "dq2");
  ModelBuilder::set_list(m.node("Constant", {}, {"axes"}), "value_ints", {2, 3});
  m.node("ReduceMean", {"r_d", "axes"}, {"y"}, "mean");
  return m;
}

TEST(Errors, TruncatedAndFlippedFilesNeverCrash) {
  const std::string bytes = quantised_model().model.SerializeAsString();
  ASSERT_EQ(quantised_model().error(), "");
  const auto survives = [&](const std::string& damaged) {
    try {
      testing::import_string(damaged);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind, ErrorKind::kModel) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }  // anything else fails the test
  };
  for (size_t length = 0; length < bytes.size(); ++length) survives(bytes.substr(0, length));
  std::mt19937 random(7);
  for (int trial = 0; trial < 20000; ++trial) {
    std::string damaged = bytes;
    for (unsigned flips = 1 + random() % 3; flips > 0; --flips)
      damaged[random() % damaged.size()] ^= static_cast<char>(1u << random() % 8);
    survives(damaged);
  }
}

}  // namespace
}  // namespace nibble::importer
