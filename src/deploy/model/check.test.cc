// One broken rule at a time: each is refused with a line that names the place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "deploy/model/nbl_test_model.h"

namespace nibble::model {
namespace {

using testing::HasSubstr;

template <class F>
void expect_refused(TestModel m, F change, const std::string& message) {
  change(m);
  auto read = reread(m.model);
  ASSERT_FALSE(read.ok()) << message;
  EXPECT_THAT(read.status().message(), HasSubstr(message));
}

TEST(Check, Graph) {
  using M = TestModel;
  const auto relu = [](auto change, const char* message) {
    expect_refused(M::relu(), change, message);
  };
  relu([](M& m) { m.model.nodes[0].inputs = {2}; },
       "node 'relu': input 0 is tensor 2; expected 0 to 1");
  relu([](M& m) { m.model.nodes[0].inputs = {-2}; }, "input 0 is tensor -2");
  relu([](M& m) { m.model.nodes[0].inputs = {kNoTensor}; }, "input 0 is tensor -1");
  relu([](M& m) { m.model.nodes[0].inputs = {}; }, "0 inputs; Relu takes 1 to 1");
  relu([](M& m) { m.model.nodes[0].inputs = {0, 0}; }, "2 inputs; Relu takes 1 to 1");
  relu([](M& m) { m.model.nodes[0].outputs = {}; }, "0 outputs; Relu has 1 to 1");
  relu([](M& m) { m.model.nodes[0].outputs = {0}; }, "output 0 (tensor 'x') is made twice");
  relu([](M& m) { m.model.nodes[0].outputs = {7}; }, "output 0 is tensor 7");
  relu([](M& m) { m.model.nodes[0].inputs = {1}; },
       "input 0 (tensor 'y') is not made by an earlier");
  relu([](M& m) { m.model.inputs = {0, 0}; }, "model input 1 is a constant or listed twice");
  relu([](M& m) { m.model.inputs = {9}; }, "model input 0 is tensor 9");
  relu([](M& m) { m.model.outputs = {-1}; }, "model output 0 is tensor -1");
  relu([](M& m) { m.model.outputs = {m.activation("t", {1})}; },
       "model output 0 (tensor 't') is not made");
  relu([](M& m) { m.model.nodes.push_back(m.model.nodes[0]); },
       "output 0 (tensor 'y') is made twice");
  relu([](M& m) { m.model.nodes[0].op = static_cast<Op>(op_count()); }, "node 'relu': op ");
  relu([](M& m) { m.model.nodes[0].attributes.set(Attr::to, int64_t{14}); },
       "attribute 'to' is 14");
  relu([](M& m) { m.model.phase = static_cast<Phase>(4); }, "phase 4; expected 1 to 3");
  relu([](M& m) { m.model.requantise = static_cast<numeric::RequantiseVariant>(0); },
       "requantise variant 0");
  relu(
      [](M& m) {
        m.model.nodes[0].name = "a\nb";
        m.model.nodes[0].inputs = {5};
      },
      "node 'a?b': ");
}

TEST(Check, Tensors) {
  using M = TestModel;
  const auto relu = [](auto change, const char* message) {
    expect_refused(M::relu(), change, message);
  };
  relu([](M& m) { m.tensor(0).dtype = static_cast<DType>(14); }, "tensor 'x': type 14");
  relu([](M& m) { m.tensor(0).shape = {-2, 4}; }, "tensor 'x': dimension -2");
  relu([](M& m) { m.tensor(0).shape = {int64_t{1} << 40, int64_t{1} << 40}; }, "is too large");
  relu([](M& m) { m.tensor(0).shape = {0, INT64_MAX, INT64_MAX}; }, "is too large");
  relu([](M& m) { m.tensor(m.constant("c", {2}, DType::kF32)).shape = {kUnknownDim}; },
       "tensor 'c': dimension -1");
  relu([](M& m) { m.tensor(m.constant("c", {2}, DType::kF32)).shape = {3}; },
       "tensor 'c' holds 8 bytes; expected 12");
  relu([](M& m) { m.tensor(m.constant("c", {2}, DType::kU8)).dtype = DType::kBool; },
       "tensor 'c': boolean 8; expected 0 or 1");
}

TEST(Check, Grids) {
  const auto grid = [](auto change, const char* message) {
    TestModel m = TestModel::relu();
    m.tensor(0).quant = TestModel::grid_of({0.5f}, {0});
    ASSERT_TRUE(reread(m.model).ok());
    expect_refused(
        std::move(m), [&](TestModel& t) { change(*t.tensor(0).quant); }, message);
  };
  using Q = numeric::QuantParams;
  grid([](Q& q) { q.scales = {0.0f}; }, "tensor 'x': scale 0 is 0.0");
  grid([](Q& q) { q.scales = {-1.0f}; }, "positive finite");
  grid([](Q& q) { q.scales = {NAN}; }, "positive finite");
  grid([](Q& q) { q.scales = {std::numeric_limits<float>::infinity()}; }, "positive finite");
  grid([](Q& q) { q.scales = {}; }, "0 scales");
  grid([](Q& q) { q.zero_points = {0, 0}; }, "2 zero points");
  grid([](Q& q) { q.zero_points = {128}; }, "zero point 0 is 128");
  grid([](Q& q) { q.bits = 17; }, "bit width 17");
  grid([](Q& q) { q.bits = 0; }, "bit width 0");
  grid([](Q& q) { q.qmax = 200; }, "codes -128..200");
  grid(
      [](Q& q) {
        q.granularity = numeric::Granularity::kChannel;
        q.axis = 0;
      },
      "not known");
  grid(
      [](Q& q) {
        q.granularity = numeric::Granularity::kChannel;
        q.axis = 2;
      },
      "does not exist");
  grid([](Q& q) { q.granularity = static_cast<numeric::Granularity>(5); }, "granularity 5");
  grid([](Q& q) { q.range = static_cast<numeric::RangeKind>(0); }, "range kind 0");
  grid([](Q& q) { q.grid = static_cast<numeric::GridId>(4); }, "grid 4; expected 1 to 3");
  grid([](Q& q) { q.grid = numeric::GridId::kBinary; }, "bit width 8, expected 1..1");
  grid(
      [](Q& q) {
        q.granularity = numeric::Granularity::kGroup;
        q.axis = 1;
        q.group = 0;
      },
      "group size 0");
}

TEST(Check, PackedConstants) {
  using M = TestModel;
  const auto full = [](auto change, const char* message) {
    expect_refused(M::full(), change, message);
  };
  const auto weights = [](M& m) -> TensorInfo& { return m.tensor(1); };
  ASSERT_TRUE(reread(M::full().model).ok());
  full([&](M& m) { weights(m).packed.bits = 5; }, "tensor 'w': field of 5 bits");
  full([&](M& m) { weights(m).packed.format = static_cast<format::FormatId>(9); },
       "unknown packed format 9");
  full([&](M& m) { weights(m).packed = format::make_record(4, true, 3, 1, 1, 1, 5); },
       "tensor 'w' holds 1024 bytes; expected");
  full([&](M& m) { weights(m).packed = format::make_record(4, true, 1, 4, 1, 1, 5); },
       "does not fit shape 3x1x1x5");
  full([&](M& m) { weights(m).dtype = DType::kI32; }, "packed codes of type i32");
  full([&](M& m) { m.model.outputs.push_back(1); }, "is a packed constant");
  full([&](M& m) { m.model.nodes[1].op = Op::kSub; }, "node 'island': input 0 is packed");
  full([&](M& m) { m.model.nodes[0].inputs[3] = 1; }, "node 'conv': input 3 is packed");
  full([&](M& m) { m.model.nodes[0].inputs[1] = m.model.nodes[0].inputs[2]; },
       "node 'conv': input 1 is not packed");
  const auto record = format::make_record(2, true, 1, 3, 1, 1, 5);
  full(
      [&](M& m) {
        m.tensor(m.model.nodes[0].inputs[1] =
                     m.packed("t", {3, 1, 1, 5}, format::as_ternary(record)));
      },
      "tensor 't': ternary code 3 in byte 2; expected 0, 1 or 2");
  full([&](M& m) { weights(m).packed.version = 2; }, "tensor 'w': field version 2 of 4 bits");
  full([&](M& m) { weights(m).packed = format::make_record(4, true, 1, INT64_MAX, 1, 1, 5); },
       "dimension 9223372036854775807");
}

}  // namespace
}  // namespace nibble::model
