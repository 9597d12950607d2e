#include "deploy/run/session.h"

#include <gtest/gtest.h>

#include "deploy/run/tiny_model.h"

namespace nibble::run {
namespace {

using model::Attr;
using model::Op;
using testing::TinyModel;

std::unique_ptr<Session> open(const std::shared_ptr<const model::Model>& model, int threads = 1) {
  auto session = Session::create(model, {threads, Isa::kPortable});
  EXPECT_TRUE(session.ok()) << session.status().message();
  return session.ok() ? std::move(session).value() : nullptr;
}

template <class T = float>
Tensor tensor(const Shape& shape, std::initializer_list<T> values) {
  return Tensor::of<T>(shape, std::span<const T>(values.begin(), values.size()));
}

template <class T = float>
std::vector<T> output(const Session& session, size_t i) {
  const auto span = session.output(i).span<T>();
  return {span.begin(), span.end()};
}

using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;

TEST(Session, RunsAChainAndReusesItsMemory) {
  TinyModel m;
  const int x = m.input("x", {kUnknownDim, 64});
  int t = x;
  for (int i = 0; i < 6; ++i) t = m.node(Op::kNeg, {t});
  const auto session = open(m.build({t}));
  for (int64_t batch : {1, 3, 0, 2}) {
    Tensor in(DType::kF32, {batch, 64});
    for (float& v : in.span<float>()) v = 1.5f;
    const TensorView views[] = {in.view()};
    ASSERT_TRUE(session->run(views).ok());
    EXPECT_EQ(session->output(0).shape, (Shape{batch, 64}));
    for (float v : output(*session, 0)) EXPECT_EQ(v, 1.5f);
    // Two tensors live at a time.
    EXPECT_EQ(session->peak_activation_bytes(), std::max<size_t>(64, 2 * 256 * batch));
  }
}

TEST(Session, OutputsThatAreInputsConstantsAndReshapes) {
  TinyModel m;
  const int x = m.input("x", {2, 2});
  const int c = m.constant<float>({2}, {7, 8});
  const int flat = m.node(Op::kReshape, {x, m.constant<int64_t>({1}, {-1})});
  const int sum = m.node(Op::kAdd, {x, c});
  const int reshaped = m.node(Op::kReshape, {sum, m.constant<int64_t>({2}, {4, 1})});
  const auto session = open(m.build({x, c, flat, reshaped, sum}));
  {
    Tensor in = tensor<float>({2, 2}, {1, 2, 3, 4});
    const TensorView views[] = {in.view()};
    ASSERT_TRUE(session->run(views).ok());
    in.span<float>()[0] = 99;  // outputs do not lie in the caller's memory
  }
  EXPECT_EQ(output(*session, 0), (Floats{1, 2, 3, 4}));
  EXPECT_EQ(output(*session, 1), (Floats{7, 8}));
  EXPECT_EQ(output(*session, 2), (Floats{1, 2, 3, 4}));
  EXPECT_EQ(output(*session, 3), (Floats{8, 10, 10, 12}));
  EXPECT_EQ(session->output(2).shape, (Shape{4}));
  EXPECT_EQ(session->output(3).shape, (Shape{4, 1}));
  EXPECT_EQ(session->output(3).data, session->output(4).data);
}

TEST(Session, EvaluatesShapeArithmeticWhilePreparing) {
  // x.reshape(x.shape[0], -1), as PyTorch writes it.
  TinyModel m;
  const int x = m.input("x", {kUnknownDim, 2, 3});
  const int shape = m.node(Op::kShape, {x}, DType::kI64);
  const int n = m.node(Op::kGather, {shape, m.constant<int64_t>({}, {0})}, DType::kI64);
  const int dim = m.node(Op::kUnsqueeze, {n, m.constant<int64_t>({1}, {0})}, DType::kI64);
  const int target = m.node(Op::kConcat, {dim, m.constant<int64_t>({1}, {-1})}, DType::kI64);
  const int y = m.node(Op::kNeg, {m.node(Op::kReshape, {x, target})});
  const auto session = open(m.build({y, target}));
  const Tensor in = tensor<float>({2, 2, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const TensorView views[] = {in.view()};
  ASSERT_TRUE(session->run(views).ok());
  EXPECT_EQ(session->output(0).shape, (Shape{2, 6}));
  EXPECT_EQ(output(*session, 0)[7], -7);
  EXPECT_EQ(output<int64_t>(*session, 1), (Ints{2, -1}));
  ASSERT_EQ(session->profile().size(), 1u);  // nothing but Neg is left to compute
  EXPECT_EQ(session->profile()[0].op, Op::kNeg);
}

TEST(Session, ShapesThatDependOnValuesAreFoundInEachRun) {
  TinyModel m;
  const int x = m.input("x", {4});
  const int length = m.input("length", {1}, DType::kI64);
  const int doubled = m.node(Op::kAdd, {x, x});
  const int cut = m.node(Op::kSlice, {doubled, m.constant<int64_t>({1}, {0}), length});
  const int column = m.node(Op::kUnsqueeze, {cut, m.constant<int64_t>({1}, {1})});
  const int y = m.node(Op::kNeg, {column});
  const auto session = open(m.build({y, column, x}));
  const Tensor in = tensor<float>({4}, {1, 2, 3, 4});
  for (int64_t n : {3, 0, 4, 1}) {
    const Tensor count = tensor<int64_t>({1}, {n});
    const TensorView views[] = {in.view(), count.view()};
    ASSERT_TRUE(session->run(views).ok());
    ASSERT_EQ(session->output(0).shape, (Shape{n, 1}));
    for (int64_t i = 0; i < n; ++i)
      EXPECT_EQ(output(*session, 0)[static_cast<size_t>(i)], -2.0f * static_cast<float>(i + 1));
    EXPECT_EQ(output(*session, 2), (Floats{1, 2, 3, 4}));
  }
}

TEST(Session, ObserverSeesEveryTensorOnceARun) {
  TinyModel m;
  const int x = m.input("x", {1});
  const int a = m.node(Op::kNeg, {x});
  const int b = m.node(Op::kIdentity, {a});
  const int k = m.node(Op::kNeg, {m.constant<float>({1}, {5})});  // known while preparing
  const int y = m.node(Op::kAdd, {b, k});
  const auto session = open(m.build({y}));
  std::vector<std::pair<int, float>> seen;
  session->set_observer(
      [&](int t, const TensorView& view) { seen.emplace_back(t, *view.as<float>()); });
  const Tensor in = tensor<float>({1}, {2});
  const TensorView views[] = {in.view()};
  ASSERT_TRUE(session->run(views).ok());
  EXPECT_EQ(seen, (std::vector<std::pair<int, float>>{{a, -2}, {b, -2}, {k, -5}, {y, -7}}));
}

TEST(Session, ThreadsDoNotChangeBytes) {
  TinyModel m;
  const int x = m.input("x", {300, 301});
  const int y = m.node(Op::kTranspose, {m.node(Op::kExp, {x})});
  const auto model = m.build({y});
  Tensor in(DType::kF32, {300, 301});
  float value = -4;
  for (float& v : in.span<float>()) v = value += 1e-4f;
  const TensorView views[] = {in.view()};
  const auto one = open(model, 1), three = open(model, 3);
  ASSERT_TRUE(one->run(views).ok());
  ASSERT_TRUE(three->run(views).ok());
  EXPECT_EQ(output(*one, 0), output(*three, 0));
}

TEST(Session, ErrorsNameFileAndInputOrNode) {
  TinyModel m;
  const int x = m.input("x", {kUnknownDim, 2});
  const int y = m.node(Op::kReshape, {x, m.constant<int64_t>({2}, {-1, 3})});
  const auto session = open(m.build({y}));
  const Shape wrong_rank[] = {{2}}, wrong_size[] = {{2, 3}}, no_fit[] = {{2, 2}};
  EXPECT_EQ(session->prepare({}).message(), "tiny: expects 1 inputs, found 0");
  EXPECT_EQ(session->prepare(wrong_rank).message(), "tiny: input 'x': expects Nx2, found 2");
  EXPECT_EQ(session->prepare(wrong_size).message(), "tiny: input 'x': expects Nx2, found 2x3");
  EXPECT_EQ(session->prepare(no_fit).message(),
            "tiny: node 'n0': Reshape expects as many elements as its input has, found 2x2 to "
            "become [-1, 3]");
  const Tensor ints = tensor<int64_t>({3, 2}, {1, 2, 3, 4, 5, 6});
  const TensorView views[] = {ints.view()};
  EXPECT_EQ(session->run(views).message(), "tiny: input 'x': expects f32, found i64");
  EXPECT_EQ(session->output(0).data, nullptr);
}

TEST(Session, AnIndexOutsideItsAxisStopsTheRun) {
  TinyModel m;
  const int x = m.input("x", {2}, DType::kI64);
  const int y = m.node(Op::kGather, {m.constant<float>({3}, {1, 2, 3}), x});
  const auto session = open(m.build({y}));
  const Tensor good = tensor<int64_t>({2}, {-3, 2}), bad = tensor<int64_t>({2}, {0, 3});
  const TensorView good_views[] = {good.view()}, bad_views[] = {bad.view()};
  ASSERT_TRUE(session->run(good_views).ok());
  EXPECT_EQ(output(*session, 0), (Floats{1, 3}));
  EXPECT_EQ(session->run(bad_views).message(),
            "tiny: node 'n0': expects indices from -3 to 2, found 3");
  EXPECT_EQ(session->output(0).data, nullptr);
  ASSERT_TRUE(session->run(good_views).ok());
  EXPECT_EQ(output(*session, 0), (Floats{1, 3}));
}

TEST(Session, RefusesWhatItCannotRun) {
  TinyModel m;
  const int x = m.input("x", {2});
  const auto model = m.build({x});
  EXPECT_FALSE(Session::create(model, {0, Isa::kPortable}).ok());
  TinyModel wrong;
  const int y = wrong.node(Op::kNeg, {wrong.input("x", {2})}, DType::kI64);
  const auto session = open(wrong.build({y}));
  const Shape shapes[] = {{2}};
  EXPECT_EQ(session->prepare(shapes).message(),
            "tiny: node 'n0': Neg makes f32, but 't1' is declared i64");
}

}  // namespace
}  // namespace nibble::run
