// QuantizeLinear, DequantizeLinear, Requantize, QAdd, QMul as steps: granularities, containers,
// broadcasting, packed codes, both requantisation variants, every ISA, 1 and 2 threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "deploy/numeric/requantise.h"
#include "deploy/numeric/rounding.h"
#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

using model::Attr;
using model::Op;
using testing::Input;
using testing::Node;
using testing::tensor;

std::vector<float> random_reals(int64_t n, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<float> x(static_cast<size_t>(n));
  for (float& v : x)
    v = std::ldexp(static_cast<float>(static_cast<int>(engine() % 2001) - 1000), -3);
  return x;
}

/// Runs on every ISA and thread count; all must give the same bytes.
Tensor everywhere(const Node& node) {
  Tensor first = testing::run(node, Isa::kPortable);
  for (Isa isa : runnable_isas())
    for (int threads : {1, 2}) {
      const Tensor again = testing::run(node, isa, threads);
      if (first.bytes() == 0) continue;
      EXPECT_EQ(std::memcmp(again.data(), first.data(), first.bytes()), 0) << name_of(isa);
    }
  return first;
}

struct Layout {
  Shape x, scale;
  int64_t axis, block;
};
const Layout kLayouts[] = {
    {{3, 5, 7}, {}, 1, 0},        {{3, 5, 7}, {1}, 1, 0},
    {{3, 5, 7}, {5}, 1, 0},       {{3, 5, 7}, {5}, -2, 0},
    {{3, 5, 7}, {7}, 2, 0},       {{3, 5, 7}, {3}, 0, 0},
    {{3, 5, 7}, {3, 3, 7}, 1, 2}, {{3, 5, 7}, {3, 5, 2}, 2, 4},
    {{3, 5, 7}, {1, 5, 7}, 0, 3}, {{3, 5, 7}, {3, 5, 1}, -1, 99},
    {{40, 600}, {40}, 0, 0},      {{2, 9000}, {}, 1, 0},
    {{0, 5}, {5}, 1, 0},          {{1}, {}, 0, 0},
    {{20000}, {5}, 0, 4096},
};

/// Position of an element's scale, by ONNX's words.
size_t scale_of(const Layout& layout, int64_t element) {
  if (layout.scale.rank() == 0 || (layout.block == 0 && layout.scale.size() == 1)) return 0;
  const int axis = normalize_axis(layout.axis, layout.x.rank());
  std::vector<int64_t> index(static_cast<size_t>(layout.x.rank()));
  for (int d = layout.x.rank() - 1; d >= 0; --d) {
    index[static_cast<size_t>(d)] = element % layout.x[d];
    element /= layout.x[d];
  }
  if (layout.block == 0) return static_cast<size_t>(index[static_cast<size_t>(axis)]);
  index[static_cast<size_t>(axis)] /= layout.block;
  int64_t at = 0;
  for (int d = 0; d < layout.x.rank(); ++d)
    at = at * layout.scale[d] + index[static_cast<size_t>(d)];
  return static_cast<size_t>(at);
}

template <class T>
void round_trip(const Layout& layout, DType x_dtype, bool has_zero) {
  using Limits = std::numeric_limits<T>;
  const DType dtype = dtype_of<T>();
  auto scale = random_reals(layout.scale.size(), 3);
  std::vector<T> zero(scale.size());
  for (size_t i = 0; i < scale.size(); ++i) {
    scale[i] = 0.01f + std::abs(scale[i]);
    zero[i] = static_cast<T>(has_zero ? Limits::min() + static_cast<int>(i * 7 % 200) : 0);
  }
  const auto reals = random_reals(layout.x.size(), 4);
  Tensor x = tensor<float>(layout.x, reals);
  if (x_dtype == DType::kI32) {
    x = Tensor(DType::kI32, layout.x);
    for (size_t i = 0; i < reals.size(); ++i) x.span<int32_t>()[i] = static_cast<int>(reals[i]);
  }
  Node node{Op::kQuantizeLinear, {}, {}, dtype, layout.x};
  node.attributes.set(Attr::axis, layout.axis);
  if (layout.block) node.attributes.set(Attr::block_size, layout.block);
  node.inputs.push_back({x.clone()});
  node.inputs.push_back({tensor<float>(layout.scale, scale), true});
  if (has_zero) node.inputs.push_back({tensor<T>(layout.scale, zero), true});
  const Tensor q = everywhere(node);
  for (int64_t i = 0; i < x.size(); ++i) {
    const auto at = static_cast<size_t>(i);
    const size_t s = scale_of(layout, i);
    const float v = x_dtype == DType::kI32 ? static_cast<float>(x.span<int32_t>()[at]) : reals[at];
    ASSERT_EQ(q.span<T>()[at],
              numeric::quantize_affine(v, scale[s], zero[s], Limits::min(), Limits::max()))
        << i << " of " << to_string(layout.x) << " by " << to_string(layout.scale);
  }

  node.op = Op::kDequantizeLinear;
  node.dtype = DType::kF32;
  node.inputs[0].tensor = q.clone();
  const Tensor back = everywhere(node);
  for (int64_t i = 0; i < x.size(); ++i) {
    const auto at = static_cast<size_t>(i);
    const size_t s = scale_of(layout, i);
    ASSERT_EQ(back.span<float>()[at], static_cast<float>(q.span<T>()[at] - zero[s]) * scale[s]);
  }
}

TEST(QuantizeLinear, EveryLayoutAndContainer) {
  for (const Layout& layout : kLayouts)
    for (bool has_zero : {false, true}) {
      round_trip<int8_t>(layout, DType::kF32, has_zero);
      round_trip<uint8_t>(layout, DType::kF32, has_zero);
      round_trip<int16_t>(layout, DType::kI32, has_zero);
      round_trip<uint16_t>(layout, DType::kF32, has_zero);
    }
}

TEST(QuantizeLinear, NarrowCodesSaturateAtTheirBounds) {
  Node node{Op::kQuantizeLinear, {}, {}, DType::kI8, {4}};
  node.attributes.set(Attr::y_min, int64_t{-8});
  node.attributes.set(Attr::y_max, int64_t{7});
  node.inputs.push_back({tensor<float>({4}, {-100, 100, 2.5f, NAN})});
  node.inputs.push_back({tensor<float>({}, {1.0f}), true});
  const Tensor q = everywhere(node);
  EXPECT_EQ(std::vector<int8_t>(q.span<int8_t>().begin(), q.span<int8_t>().end()),
            (std::vector<int8_t>{-8, 7, 2, 0}));
}

TEST(DequantizeLinear, PackedCodesOfEveryWidth) {
  for (int bits = 1; bits <= 8; ++bits)
    for (bool is_signed : {true, false})
      for (int64_t axis : {0, 1}) {
        const format::PackedRecord record = format::make_record(bits, is_signed, 1, 5, 1, 1, 9);
        std::vector<uint8_t> u(45);
        for (size_t i = 0; i < 45; ++i) u[i] = static_cast<uint8_t>((i * 11) % (1u << bits));
        const Shape scale_shape{axis == 0 ? 5 : 9};
        const auto scale = random_reals(scale_shape.size(), 8);
        std::vector<int8_t> zero(scale.size(), is_signed ? 0 : 1);
        Node node{Op::kDequantizeLinear, {}, {}, DType::kF32, {5, 9}};
        node.attributes.set(Attr::axis, axis);
        Input codes{Tensor(is_signed ? DType::kI8 : DType::kU8, {5, 9}), true, record};
        codes.stream.resize(format::packed_bytes(record));
        format::pack(record, u, codes.stream);
        node.inputs.push_back(std::move(codes));
        node.inputs.push_back({tensor<float>(scale_shape, scale), true});
        Tensor zeros(is_signed ? DType::kI8 : DType::kU8, scale_shape);
        std::memcpy(zeros.data(), zero.data(), zero.size());
        node.inputs.push_back({std::move(zeros), true});
        const Tensor y = everywhere(node);
        for (size_t i = 0; i < 45; ++i) {
          const size_t s = axis == 0 ? i / 9 : i % 9;
          ASSERT_EQ(y.span<float>()[i],
                    static_cast<float>(u[i] - record.offset - zero[s]) * scale[s]);
        }
      }
}

TEST(DequantizeLinear, Int32) {
  Node node{Op::kDequantizeLinear, {}, {}, DType::kF32, {3}};
  node.inputs.push_back({tensor<int32_t>({3}, {INT32_MIN, 5, 16777217})});
  node.inputs.push_back({tensor<float>({}, {0.5f}), true});
  const Tensor y = everywhere(node);
  EXPECT_EQ(y.span<float>()[0], -0x1p30f);
  EXPECT_EQ(y.span<float>()[1], 2.5f);
  EXPECT_EQ(y.span<float>()[2], 0x1p23f);
}

Tensor random_codes(const Shape& shape, unsigned seed) {
  std::mt19937 engine(seed);
  Tensor t(DType::kI8, shape);
  for (int8_t& q : t.span<int8_t>()) q = static_cast<int8_t>(engine());
  return t;
}

void set_common(Node& node, double m_a, double m_b, bool fixed) {
  model::Attributes& a = node.attributes;
  a.set(Attr::x_zero, int64_t{-5});
  a.set(Attr::b_zero, int64_t{20});
  a.set(Attr::y_zero, int64_t{-128});
  a.set(Attr::y_min, int64_t{-120});
  a.set(Attr::y_max, int64_t{100});
  const bool sum = node.op == Op::kQAdd;
  if (!fixed) {
    std::vector<float> m = {static_cast<float>(m_a)};
    if (sum) m.push_back(static_cast<float>(m_b));
    a.set(Attr::multiplier, m);
    return;
  }
  node.requantise = numeric::RequantiseVariant::kFixed;
  if (sum) {
    const numeric::FixedSum f = numeric::to_fixed_sum(m_a, m_b);
    a.set(Attr::fixed_multiplier, std::vector<int64_t>{f.a, f.b});
    a.set(Attr::fixed_exponent, std::vector<int64_t>{31 - f.shift});
  } else {
    const numeric::FixedMultiplier f = numeric::to_fixed(m_a);
    a.set(Attr::fixed_multiplier, std::vector<int64_t>{f.m0});
    a.set(Attr::fixed_exponent, std::vector<int64_t>{f.exponent});
  }
}

int64_t clamp_code(int64_t v) {
  return std::clamp<int64_t>(v - 128, -120, 100);
}

TEST(CodeOps, BroadcastAndBothVariants) {
  struct Case {
    Shape a, b, y;
  };
  const Case cases[] = {{{2, 3, 4, 5}, {2, 3, 4, 5}, {2, 3, 4, 5}},
                        {{2, 3, 4, 5}, {5}, {2, 3, 4, 5}},
                        {{2, 1, 1, 5}, {2, 3, 4, 5}, {2, 3, 4, 5}},
                        {{}, {7}, {7}},
                        {{3, 1}, {1, 4}, {3, 4}},
                        {{0, 4}, {4}, {0, 4}},
                        {{2, 20000}, {2, 1}, {2, 20000}}};
  for (const Case& c : cases)
    for (Op op : {Op::kQAdd, Op::kQMul})
      for (bool fixed : {false, true}) {
        const double m_a = op == Op::kQAdd ? 0.5 : 0.0123, m_b = 0.37;
        Node node{op,
                  {},
                  testing::activations(random_codes(c.a, 1), random_codes(c.b, 2)),
                  DType::kI8,
                  c.y};
        set_common(node, m_a, m_b, fixed);
        const Tensor y = everywhere(node);
        const auto at = [&](const Tensor& t, int64_t element) {
          int64_t offset = 0, stride = 1;
          for (int d = c.y.rank() - 1; d >= 0; --d) {
            const int own = d - (c.y.rank() - t.shape().rank());
            const int64_t index = element % c.y[d];
            element /= c.y[d];
            if (own < 0) continue;
            if (t.shape()[own] != 1) offset += index * stride;
            stride *= t.shape()[own];
          }
          return int32_t{t.span<int8_t>()[static_cast<size_t>(offset)]};
        };
        for (int64_t i = 0; i < y.size(); ++i) {
          const int32_t a = at(node.inputs[0].tensor, i) + 5, b = at(node.inputs[1].tensor, i) - 20;
          int64_t v;
          if (op == Op::kQAdd)
            v = fixed ? numeric::add_fixed(a, b, numeric::to_fixed_sum(m_a, m_b))
                      : numeric::add_float(a, b, static_cast<float>(m_a), static_cast<float>(m_b),
                                           -100000, 100000);
          else
            v = fixed ? numeric::requantise_fixed(int64_t{a} * b, numeric::to_fixed(m_a))
                      : numeric::requantise_float(a * b, static_cast<float>(m_a), -100000, 100000);
          ASSERT_EQ(y.span<int8_t>()[static_cast<size_t>(i)], clamp_code(v)) << i;
        }
      }
}

TEST(CodeOps, Requantize) {
  for (bool fixed : {false, true})
    for (double m : {0.5, 1.0, 0.7, 300.0, 0.0}) {
      Node node{
          Op::kRequantize, {}, testing::activations(random_codes({1000}, 3)), DType::kI8, {1000}};
      set_common(node, m, 0, fixed);
      const Tensor y = everywhere(node);
      for (size_t i = 0; i < 1000; ++i) {
        const int32_t x = node.inputs[0].tensor.span<int8_t>()[i] + 5;
        const int64_t v =
            fixed ? numeric::requantise_fixed(x, numeric::to_fixed(m))
                  : numeric::requantise_float(x, static_cast<float>(m), -100000, 100000);
        ASSERT_EQ(y.span<int8_t>()[i], clamp_code(v));
      }
    }
}

TEST(CodeOps, AttributesFromAFileAreChecked) {
  const auto message = [](Op op, auto change) {
    model::Model model;
    model.tensors.resize(3);
    for (auto& t : model.tensors) t.dtype = DType::kI8, t.shape = {4};
    Node node{op, {}, {}, DType::kI8, {4}};
    set_common(node, 0.5, 0.5, false);
    change(node.attributes);
    model.nodes.push_back({op, "n", node.attributes, {0, 1}, {2}});
    auto step = make_step(model, model.nodes[0]);
    std::vector<Operand> in(2), out(1);
    for (auto* list : {&in, &out})
      for (Operand& o : *list) o = {&model.tensors[0], DType::kI8, {4}, nullptr};
    PrepareContext context{
        model, model.nodes[0], in, out, Isa::kPortable, kernels::KernelTable::built_in(), 1};
    return step.value()->prepare(context).message();
  };
  const auto none = [](model::Attributes&) {};
  EXPECT_EQ(message(Op::kQAdd, none), "");
  using A = model::Attributes;
  EXPECT_EQ(message(Op::kQAdd, [](A& a) { a.set(Attr::x_zero, int64_t{128}); }),
            "x_zero 128, expected -128 to 127");
  EXPECT_EQ(message(Op::kQAdd, [](A& a) { a.set(Attr::y_max, int64_t{-121}); }),
            "y_max -121, expected -120 to 127");
  EXPECT_EQ(message(Op::kQAdd, [](A& a) { a.set(Attr::multiplier, std::vector<float>{1.0f}); }),
            "1 values of multiplier, expected 2");
  EXPECT_NE(message(Op::kQMul, [](A& a) { a.set(Attr::multiplier, std::vector<float>{NAN}); }), "");
  EXPECT_NE(message(Op::kQMul, [](A& a) { a.set(Attr::multiplier, std::vector<float>{-1}); }), "");
}

}  // namespace
}  // namespace nibble::run
