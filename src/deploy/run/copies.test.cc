// A Requantize whose result leaves the step that writes its input.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "deploy/run/session.h"
#include "deploy/run/tiny_model.h"

namespace nibble::run {
namespace {

using model::Attr;
using model::Op;

using Codes = std::vector<int>;

struct Net : testing::TinyModel {
  int sum(int a, int b) {
    model::Attributes attributes;
    attributes.set(Attr::multiplier, std::vector<float>{1, 1});
    return node(Op::kQAdd, {a, b}, DType::kI8, attributes);
  }
  int narrow(int x, float m, DType dtype = DType::kI8) {
    model::Attributes attributes;
    attributes.set(Attr::multiplier, std::vector<float>{m});
    attributes.set(Attr::y_min, int64_t{-2});
    attributes.set(Attr::y_max, int64_t{1});
    return node(Op::kRequantize, {x}, dtype, attributes);
  }
};

constexpr int kSize = 64 * 3;  // codes: whole blocks of the arena

struct Trace {
  std::map<int, Codes> seen;         // by tensor, when its step had run
  std::vector<std::string> profile;  // node + copy
  size_t bytes;

  Trace(Net& net, std::initializer_list<int> outputs, const Tensor& x) {
    auto session = Session::create(net.build(outputs), {1, Isa::kPortable});
    EXPECT_TRUE(session.ok());
    Session& s = *session.value();
    s.set_observer([&](int tensor, const TensorView& view) {
      Codes& codes = seen[tensor];
      for (int64_t i = 0; i < view.shape.size(); ++i)
        codes.push_back(view.dtype == DType::kI8 ? view.as<int8_t>()[i] : view.as<int16_t>()[i]);
    });
    const TensorView views[] = {x.view()};
    EXPECT_TRUE(s.run(views).ok());
    for (const StepProfile& p : s.profile())
      profile.push_back(std::string(p.node) + (p.copy.empty() ? "" : "+" + std::string(p.copy)));
    bytes = s.peak_activation_bytes();
  }
};

Tensor every_code() {
  Tensor x(DType::kI8, {kSize});
  for (int i = 0; i < kSize; ++i) x.span<int8_t>()[static_cast<size_t>(i)] = int8_t(i - 96);
  return x;
}

Codes sums(const Codes& a, const Codes& b) {
  Codes y;
  for (size_t i = 0; i < a.size(); ++i) y.push_back(std::clamp(a[i] + b[i], -128, 127));
  return y;
}
Codes narrowed(const Codes& x, double m) {
  Codes y;
  for (int q : x) y.push_back(std::clamp(static_cast<int>(std::nearbyint(q * m)), -2, 1));
  return y;
}
Codes inputs() {
  const Tensor x = every_code();
  return {x.span<int8_t>().begin(), x.span<int8_t>().end()};
}

using Names = std::vector<std::string>;

TEST(Copies, LeaveTheStepThatWritesTheirSource) {
  Net net;
  const int x = net.input("x", {kSize}, DType::kI8);
  const int y = net.sum(x, x);
  const int copy = net.narrow(y, 0.03f);
  const int z = net.sum(copy, y);
  const Trace run(net, {z}, every_code());
  EXPECT_EQ(run.profile, (Names{"n0+n1", "n2"}));
  const Codes twice = sums(inputs(), inputs()), low = narrowed(twice, 0.03);
  EXPECT_EQ(run.seen.at(y), twice);
  EXPECT_EQ(run.seen.at(copy), low);
  EXPECT_EQ(run.seen.at(z), sums(low, twice));
  EXPECT_EQ(run.bytes, 3u * kSize);  // both, and what reads both
}

TEST(Copies, LiveFromTheirSourceOn) {
  // A step between the two of them: what it writes must not lie where the copy is.
  Net net;
  const int x = net.input("x", {kSize}, DType::kI8);
  const int y = net.sum(x, x);
  const int between = net.sum(y, x);
  const int copy = net.narrow(y, 0.03f);
  const int z = net.sum(between, copy);
  const Trace run(net, {z}, every_code());
  EXPECT_EQ(run.profile, (Names{"n0+n2", "n1", "n3"}));
  const Codes twice = sums(inputs(), inputs());
  EXPECT_EQ(run.seen.at(between), sums(twice, inputs()));
  EXPECT_EQ(run.seen.at(copy), narrowed(twice, 0.03));
  EXPECT_EQ(run.seen.at(z), sums(sums(twice, inputs()), narrowed(twice, 0.03)));
  EXPECT_EQ(run.bytes, 3u * kSize);
}

TEST(Copies, NobodyNeedReadThem) {
  Net net;
  const int x = net.input("x", {kSize}, DType::kI8);
  const int y = net.sum(x, x);
  const int z = net.sum(y, x);
  const int copy = net.narrow(y, 0.03f);
  const Trace run(net, {z}, every_code());
  EXPECT_EQ(run.seen.at(copy), narrowed(sums(inputs(), inputs()), 0.03));
}

TEST(Copies, AStepTakesOne) {
  Net net;
  const int x = net.input("x", {kSize}, DType::kI8);
  const int y = net.sum(x, x);
  const int first = net.narrow(y, 0.03f), second = net.narrow(y, 0.01f);
  const Trace run(net, {first, second, y}, every_code());
  EXPECT_EQ(run.profile, (Names{"n0+n1", "n2"}));
  const Codes twice = sums(inputs(), inputs());
  EXPECT_EQ(run.seen.at(first), narrowed(twice, 0.03));
  EXPECT_EQ(run.seen.at(second), narrowed(twice, 0.01));
}

TEST(Copies, ThroughAReshape) {
  Net net;
  const int x = net.input("x", {kSize}, DType::kI8);
  const int y = net.sum(x, x);
  const int line = net.node(Op::kReshape, {y, net.constant<int64_t>({2}, {3, -1})}, DType::kI8);
  const int copy = net.narrow(line, 0.03f);
  const Trace run(net, {copy}, every_code());
  EXPECT_EQ(run.profile, Names{"n0+n2"});
  EXPECT_EQ(run.seen.at(copy), narrowed(sums(inputs(), inputs()), 0.03));
}

TEST(Copies, OthersStaySteps) {
  Net net;
  const int x = net.input("x", {kSize}, DType::kI8);
  const int a = net.narrow(x, 0.03f);  // of an input
  const int b = net.narrow(a, 1.0f);   // of a step that makes none
  const int y = net.sum(b, x);
  const int wide = net.narrow(y, 0.03f, DType::kI16);  // not 8 bits
  const Trace run(net, {wide}, every_code());
  EXPECT_EQ(run.profile, (Names{"n0", "n1", "n2", "n3"}));
  const Codes low = narrowed(inputs(), 0.03);
  EXPECT_EQ(run.seen.at(b), low);
  EXPECT_EQ(run.seen.at(wide), narrowed(sums(low, inputs()), 0.03));
}

TEST(Copies, OfNothing) {
  Net net;
  const int x = net.input("x", {0}, DType::kI8);
  const int copy = net.narrow(net.sum(x, x), 0.03f);
  const Trace run(net, {copy}, Tensor(DType::kI8, {0}));
  EXPECT_EQ(run.seen.at(copy), Codes());
}

}  // namespace
}  // namespace nibble::run
