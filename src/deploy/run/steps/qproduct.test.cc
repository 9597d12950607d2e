#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <random>

#include "deploy/kernels/lookup/lookup.h"
#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

using model::Attr;
using numeric::RequantiseVariant;
using testing::Node;

struct Case {
  int64_t batch = 1, group = 1, c = 1, o = 1;  // channels of one group
  std::vector<int64_t> in{1, 1}, kernel{1, 1}, stride{1, 1}, dilation{1, 1}, pad{0, 0, 0, 0};
  int bits = 8;
  bool is_signed = true;                 // grid of the weights
  bool ternary = false, binary = false;  // instead: codes -1, 0, +1; -1, +1
  bool signs = false;                    // results on the binary grid
  bool gemm = false;
  bool joined = false;   // taps along the last axis with the channels
  bool extreme = false;  // codes at the ends of their ranges alone
  RequantiseVariant requantise = RequantiseVariant::kFloat;
  DType x = DType::kI8, y = DType::kI8;
};

struct Problem {
  Node node;
  std::vector<int32_t> x, w, w_zero;  // codes; w signed as q
  std::vector<int64_t> want;
};

int64_t limit_of(DType dtype) {
  return dtype == DType::kI16 ? 32767 : 127;
}

Tensor codes_as(DType dtype, const Shape& shape, const std::vector<int32_t>& values) {
  Tensor tensor(dtype, shape);
  for (size_t i = 0; i < values.size(); ++i) {
    if (dtype == DType::kI16)
      tensor.span<int16_t>()[i] = static_cast<int16_t>(values[i]);
    else
      tensor.span<int8_t>()[i] = static_cast<int8_t>(values[i]);
  }
  return tensor;
}

Problem make_problem(const Case& t, uint32_t seed) {
  std::mt19937 rng(seed);
  const auto draw = [&](int64_t lo, int64_t hi) {
    if (t.extreme) return static_cast<int32_t>(rng() % 2 ? lo : hi);
    return static_cast<int32_t>(lo + static_cast<int64_t>(rng()) % (hi - lo + 1));
  };
  int64_t out[2];
  for (size_t i = 0; i < 2; ++i)
    out[i] =
        (t.in[i] + t.pad[i] + t.pad[i + 2] - (t.kernel[i] - 1) * t.dilation[i] - 1) / t.stride[i] +
        1;
  const int64_t channels = t.group * t.o, k = t.kernel[0] * t.kernel[1] * t.c;
  const Shape x_shape = t.gemm ? Shape{t.batch, t.in[0] * t.in[1], t.c}
                               : Shape{t.batch, t.in[0], t.in[1], t.group * t.c};
  const Shape w_shape = t.gemm ? Shape{t.o, t.c} : Shape{channels, t.kernel[0], t.kernel[1], t.c};
  const Shape y_shape =
      t.gemm ? Shape{t.batch, t.in[0] * t.in[1], t.o} : Shape{t.batch, out[0], out[1], channels};
  Problem p{{t.gemm ? model::Op::kQGemm : model::Op::kQConv, {}, {}, t.y, y_shape, t.requantise},
            {},
            {},
            {},
            {}};
  const int64_t x_limit = limit_of(t.x), y_limit = limit_of(t.y);
  for (int64_t i = 0; i < x_shape.size(); ++i) p.x.push_back(draw(-x_limit - 1, x_limit));
  const int bits = t.binary ? 1 : t.ternary ? 2 : t.bits;
  const int32_t spacing = t.binary ? 2 : 1;
  const int32_t offset = t.ternary ? 1 : t.is_signed ? 1 << (bits - 1) : 0;
  const int32_t top = t.ternary ? 2 : (1 << bits) - 1;
  std::vector<uint8_t> stored;
  for (int64_t i = 0; i < w_shape.size(); ++i) {
    stored.push_back(static_cast<uint8_t>(draw(0, top)));
    p.w.push_back(spacing * stored.back() - offset);
  }
  std::vector<int32_t> bias, m0, exponent;
  std::vector<float> multiplier;
  for (int64_t n = 0; n < channels; ++n) {
    p.w_zero.push_back(t.is_signed ? 0 : draw(0, top));
    bias.push_back(draw(-5000, 5000));
    const double m = n % 2 ? std::ldexp(1.0, -static_cast<int>(rng() % 12) - 1)
                           : static_cast<double>(rng() % 1000 + 1) * 1e-5;
    multiplier.push_back(static_cast<float>(m));
    m0.push_back(numeric::to_fixed(m).m0);
    exponent.push_back(numeric::to_fixed(m).exponent);
  }
  const int32_t x_zero = draw(-x_limit - 1, x_limit);
  const int32_t y_zero = t.signs ? 0 : draw(-y_limit - 1, y_limit);
  const int64_t y_min = t.signs ? -1 : -y_limit, y_max = t.signs ? 1 : y_limit - 3;

  const bool depthwise = !t.gemm && t.group > 1 && t.c == 1 && t.o == 1;
  testing::Input weights{Tensor(t.is_signed ? DType::kI8 : DType::kU8, w_shape), true};
  weights.packed =
      depthwise
          ? format::make_depthwise_record(bits, t.is_signed, channels, t.kernel[0], t.kernel[1])
          : format::make_record(bits, t.is_signed, t.group, t.o, t.kernel[0], t.kernel[1], t.c);
  if (t.joined) weights.packed = format::with_joined_taps(weights.packed);
  if (t.ternary) weights.packed = format::as_ternary(weights.packed);
  if (t.binary) weights.packed = format::as_binary(weights.packed);
  weights.stream.resize(format::packed_bytes(weights.packed));
  format::pack(weights.packed, stored, weights.stream);
  const bool fixed = t.requantise == RequantiseVariant::kFixed;
  auto& inputs = p.node.inputs;
  inputs.push_back({codes_as(t.x, x_shape, p.x)});
  inputs.push_back(std::move(weights));
  inputs.push_back({testing::tensor<int32_t>({channels}, bias), true});
  inputs.push_back({fixed ? testing::tensor<int32_t>({channels}, m0)
                          : testing::tensor<float>({channels}, multiplier),
                    true});
  inputs.push_back({testing::tensor<int32_t>({channels}, exponent), true});
  inputs.back().present = fixed;
  inputs.push_back({testing::tensor<int32_t>({channels}, p.w_zero), true});
  auto& attributes = p.node.attributes;
  attributes.set(Attr::x_zero, int64_t{x_zero});
  attributes.set(Attr::y_zero, int64_t{y_zero});
  attributes.set(Attr::y_min, y_min);
  attributes.set(Attr::y_max, y_max);
  if (t.signs) attributes.set(Attr::binary, int64_t{1});
  if (!t.gemm) {
    attributes.set(Attr::strides, t.stride);
    attributes.set(Attr::dilations, t.dilation);
    attributes.set(Attr::pads, t.pad);
    attributes.set(Attr::group, t.group);
  }

  // The definition: docs/numerics.md in int64.
  const int64_t pixels = t.gemm ? t.batch * t.in[0] * t.in[1] : t.batch * out[0] * out[1];
  for (int64_t pixel = 0; pixel < pixels; ++pixel)
    for (int64_t n = 0; n < channels; ++n) {
      int64_t acc = bias[n];
      for (int64_t i = 0; i < k; ++i) {
        const int64_t c = i % t.c, k1 = i / t.c % t.kernel[1], k0 = i / t.c / t.kernel[1];
        int64_t at;
        bool inside = true;
        if (t.gemm) {
          at = pixel * t.c + c;
        } else {
          const int64_t y1 = pixel % out[1], y0 = pixel / out[1] % out[0];
          const int64_t b = pixel / out[1] / out[0];
          const int64_t x0 = y0 * t.stride[0] - t.pad[0] + k0 * t.dilation[0];
          const int64_t x1 = y1 * t.stride[1] - t.pad[1] + k1 * t.dilation[1];
          inside = x0 >= 0 && x0 < t.in[0] && x1 >= 0 && x1 < t.in[1];
          at = ((b * t.in[0] + x0) * t.in[1] + x1) * t.group * t.c + n / t.o * t.c + c;
        }
        acc += int64_t{p.w[n * k + i] - p.w_zero[n]} * (inside ? p.x[at] : x_zero);
      }
      const int64_t r =
          t.signs ? (acc >= 0 ? 1 : -1)
          : fixed ? numeric::requantise_fixed(acc, {m0[n], exponent[n]})
                  : static_cast<int64_t>(std::nearbyint(static_cast<float>(acc) * multiplier[n]));
      p.want.push_back(std::clamp<int64_t>(r + y_zero, y_min, y_max));
    }
  return p;
}

void expect_definition(Case t, uint32_t seed,
                       const kernels::KernelTable& table = kernels::KernelTable::built_in()) {
  for (auto variant : {RequantiseVariant::kFloat, RequantiseVariant::kFixed}) {
    t.requantise = variant;
    Problem p = make_problem(t, seed);
    p.node.table = &table;
    for (Isa isa : runnable_isas()) {
      for (int threads : {1, 2}) {
        std::string kernel;
        const Tensor got = testing::run(p.node, isa, threads, &kernel);
        ASSERT_EQ(static_cast<size_t>(got.size()), p.want.size());
        for (size_t i = 0; i < p.want.size(); ++i)
          ASSERT_EQ(t.y == DType::kI16 ? got.span<int16_t>()[i] : got.span<int8_t>()[i], p.want[i])
              << kernel << " threads " << threads << " element " << i << " weights "
              << to_string(p.node.inputs[1].tensor.shape()) << " bits " << t.bits;
      }
    }
  }
}

TEST(QConv, RefusesConstantsThatNoLoweringMakes) {
  Problem p = make_problem({.c = 4, .o = 3}, 1);
  for (float m : {NAN, INFINITY, -1.0f}) {
    p.node.inputs[3].tensor.span<float>()[2] = m;
    EXPECT_NONFATAL_FAILURE(testing::run(p.node), "expects finite multipliers");
  }
  p = make_problem({.c = 4, .o = 3}, 1);
  for (int32_t zero : {INT32_MAX, INT32_MIN, 256, -129}) {
    p.node.inputs[5].tensor.span<int32_t>()[1] = zero;
    EXPECT_NONFATAL_FAILURE(testing::run(p.node), "expects a w_zero of an 8-bit grid");
  }
  p = make_problem({.c = 4, .o = 3, .requantise = RequantiseVariant::kFixed}, 1);
  for (int32_t exponent : {INT32_MIN, -32, 31, INT32_MAX}) {
    p.node.inputs[4].tensor.span<int32_t>()[0] = exponent;
    EXPECT_NONFATAL_FAILURE(testing::run(p.node), "expects multipliers below 2^30");
  }
}

TEST(QConv, Pointwise) {
  expect_definition({.batch = 2, .c = 16, .o = 40, .in = {3, 5}}, 1);
  expect_definition({.c = 8, .o = 33, .in = {5, 7}, .stride = {2, 2}}, 2);
  expect_definition({.c = 3, .o = 5, .in = {4, 4}}, 3);  // channels are not a multiple of 4
}

TEST(QConv, PaddingHoldsTheZeroPoint) {
  expect_definition(
      {.batch = 2, .c = 16, .o = 16, .in = {6, 5}, .kernel = {3, 3}, .pad = {1, 1, 1, 1}}, 4);
  expect_definition(
      {.c = 3, .o = 64, .in = {23, 23}, .kernel = {7, 7}, .stride = {2, 2}, .pad = {3, 3, 3, 3}},
      5);
  expect_definition({.c = 4, .o = 4, .in = {2, 2}, .kernel = {3, 3}, .pad = {5, 4, 6, 7}}, 6);
}

TEST(QConv, FewChannelsAreJoinedWithTaps) {
  for (int64_t c : {1, 2, 3})
    for (bool is_signed : {true, false})
      for (int64_t width : {2, 3, 4, 7}) {
        Case t = {.batch = 2, .c = c, .o = 5, .in = {9, 8}, .kernel = {3, width}};
        t.is_signed = is_signed, t.joined = true;
        expect_definition(t, 40);
        t.stride = {2, 3}, t.pad = {1, 2, 3, 1};
        expect_definition(t, 41);
        t.dilation = {2, 1}, t.pad = {9, 9, 0, 9};  // whole windows outside
        expect_definition(t, 42);
        t.dilation = {1, 2}, t.o = 40;
        expect_definition(t, 43);
      }
  expect_definition(
      {.c = 3, .o = 9, .in = {5, 6}, .kernel = {3, 3}, .binary = true, .joined = true}, 44);
  expect_definition({.c = 1, .o = 9, .in = {5, 6}, .kernel = {2, 5}, .bits = 3, .joined = true},
                    45);
  expect_definition({.c = 2,
                     .o = 9,
                     .in = {5, 6},
                     .kernel = {2, 5},
                     .joined = true,
                     .x = DType::kI16,
                     .y = DType::kI16},
                    46);
}

TEST(QConv, TablesOfActivationsGiveTheSameCodes) {
  std::string text;
  double gops = 1;
  for (const kernels::LookupVariant& v : kernels::lookup_variants())
    for (int bits = 1; bits <= 3; ++bits)
      text += std::string(v.name) + ' ' + std::to_string(bits) + " 8 1 64 " +
              std::to_string(gops++) + '\n';
  const auto table = kernels::KernelTable::parse(text, "t").value();
  for (bool extreme : {false, true})
    for (int bits : {1, 2, 3}) {
      Case t = {.c = 70, .o = 65, .bits = bits, .gemm = true, .extreme = extreme};
      expect_definition(t, 50, table);
      t.batch = 3, t.in = {3, 1}, t.is_signed = false;
      expect_definition(t, 51, table);
      t = {.batch = 2, .c = 20, .o = 40, .in = {5, 6}, .kernel = {3, 3}, .bits = bits};
      t.extreme = extreme, t.pad = {1, 2, 1, 0}, t.stride = {2, 1};
      expect_definition(t, 52, table);
      t.c = 3, t.joined = true;
      expect_definition(t, 53, table);
      t.ternary = bits == 2, t.binary = bits == 1, t.signs = true;
      expect_definition(t, 54, table);
    }
  std::string kernel;
  Problem p = make_problem({.c = 8, .o = 8, .bits = 2, .gemm = true}, 55);
  p.node.table = &table;
  testing::run(p.node, Isa::kPortable, 1, &kernel);
  EXPECT_EQ(kernel, "lookup/portable");
}

TEST(QConv, GroupsAndDilations) {
  expect_definition({.group = 2, .c = 4, .o = 3, .in = {4, 5}}, 24);  // pointwise
  expect_definition({.group = 3,
                     .c = 4,
                     .o = 5,
                     .in = {6, 6},
                     .kernel = {3, 3},
                     .dilation = {2, 1},
                     .pad = {2, 1, 2, 1}},
                    7);
  expect_definition({.group = 2, .c = 5, .o = 18, .in = {4, 6}, .kernel = {1, 3}, .stride = {1, 2}},
                    8);
}

TEST(QConv, Depthwise) {
  for (int64_t channels : {2, 8, 15, 16, 17, 31, 32, 33, 48, 70})
    expect_definition({.group = channels, .in = {5, 7}, .kernel = {3, 3}, .pad = {1, 1, 1, 1}}, 9);
  expect_definition({.batch = 2,
                     .group = 24,
                     .in = {9, 8},
                     .kernel = {3, 3},
                     .stride = {2, 2},
                     .pad = {0, 0, 1, 1}},
                    10);
  expect_definition({.group = 40,
                     .in = {7, 11},
                     .kernel = {4, 2},
                     .stride = {1, 3},
                     .dilation = {2, 3},
                     .pad = {3, 2, 0, 1}},
                    11);
  expect_definition({.group = 16, .in = {1, 1}, .kernel = {5, 5}, .pad = {2, 2, 2, 2}}, 12);
  expect_definition({.group = 3, .in = {14, 14}, .kernel = {12, 12}, .pad = {6, 6, 6, 6}},
                    13);  // many taps
}

TEST(QConv, ExtremeCodes) {
  for (bool is_signed : {true, false}) {
    expect_definition({.c = 64,
                       .o = 33,
                       .in = {4, 4},
                       .kernel = {3, 3},
                       .pad = {1, 1, 1, 1},
                       .is_signed = is_signed,
                       .extreme = true},
                      14);
    expect_definition({.group = 33,
                       .in = {4, 4},
                       .kernel = {3, 3},
                       .pad = {1, 1, 1, 1},
                       .is_signed = is_signed,
                       .extreme = true},
                      15);
  }
}

TEST(QConv, EveryWidthOfWeights) {
  for (int bits = 1; bits <= 8; ++bits)
    for (bool is_signed : {true, false}) {
      expect_definition(
          {.c = 20, .o = 35, .in = {3, 3}, .kernel = {2, 2}, .bits = bits, .is_signed = is_signed},
          16);
      expect_definition(
          {.group = 20, .in = {3, 3}, .kernel = {2, 2}, .bits = bits, .is_signed = is_signed}, 17);
    }
}

TEST(QConv, BinaryAndTernaryWeights) {
  for (bool binary : {true, false})
    for (bool extreme : {false, true}) {
      const Case small = {.ternary = !binary, .binary = binary};
      Case t = small;
      t.extreme = extreme;
      for (int64_t c : {1, 3, 4, 63, 64, 65}) {  // padded channels meet the code +1
        t.c = c, t.o = 33, t.in = {4, 3}, t.kernel = {1, 1}, t.pad = {0, 0, 0, 0};
        expect_definition(t, 24);
        t.kernel = {3, 2}, t.pad = {1, 1, 2, 0};
        expect_definition(t, 25);
      }
      t.group = 3, t.c = 5, t.o = 7;
      expect_definition(t, 26);
      t.group = 35, t.c = t.o = 1;
      expect_definition(t, 27);
      t.x = t.y = DType::kI16;
      expect_definition(t, 28);
      t = small;
      t.gemm = true, t.batch = 2, t.c = 67, t.o = 40, t.in = {1, 3};
      expect_definition(t, 29);
    }
}

TEST(QConv, BinaryResults) {
  for (bool binary : {true, false}) {
    Case t = {.bits = 4, .binary = binary, .signs = true};
    t.c = 20, t.o = 35, t.in = {4, 4}, t.kernel = {3, 3}, t.pad = {1, 1, 1, 1};
    expect_definition(t, 30);
    t.group = 20, t.c = t.o = 1;
    expect_definition(t, 31);
    t.x = DType::kI16;
    expect_definition(t, 32);
    t = {.bits = 3, .binary = binary, .signs = true, .gemm = true};
    t.c = 70, t.o = 5;
    expect_definition(t, 33);
  }
  Problem p = make_problem({.signs = true}, 34);
  p.node.attributes.set(Attr::y_zero, int64_t{1});
  EXPECT_NONFATAL_FAILURE(testing::run(p.node), "expects binary codes of i8 without a zero point");
}

TEST(QConv, SixteenBitActivations) {
  expect_definition({.c = 5,
                     .o = 6,
                     .in = {4, 4},
                     .kernel = {3, 3},
                     .pad = {1, 1, 1, 1},
                     .x = DType::kI16,
                     .y = DType::kI16},
                    18);
  expect_definition({.group = 6, .in = {4, 4}, .kernel = {3, 3}, .x = DType::kI16}, 19);
  expect_definition({.c = 6, .o = 2, .in = {4, 4}, .y = DType::kI16}, 20);
  // Every width, variant, kind of results; groups; one row; extremes; several blocks of k and
  // lines.
  for (const RequantiseVariant variant : {RequantiseVariant::kFloat, RequantiseVariant::kFixed})
    for (const DType y : {DType::kI8, DType::kI16})
      for (int bits = 1; bits <= 8; ++bits) {
        Case t = {.batch = 2, .group = 3, .c = 7, .o = 5, .in = {5, 4}, .kernel = {2, 3}};
        t.bits = bits, t.is_signed = bits % 2 == 0, t.requantise = variant;
        t.stride = {1, 2}, t.pad = {1, 0, 2, 1}, t.x = DType::kI16, t.y = y;
        expect_definition(t, 50);
        t.group = 1, t.c = 33, t.o = 70;
        expect_definition(t, 51);
        t.extreme = true;
        expect_definition(t, 52);
      }
  for (const bool gemm : {false, true}) {
    Case t = {.c = 900, .o = 37, .gemm = gemm, .x = DType::kI16, .y = DType::kI16};
    expect_definition(t, 53);
    t.binary = true;
    expect_definition(t, 54);
  }
  Case signs = {.c = 20, .o = 35, .in = {3, 3}, .bits = 4, .signs = true, .x = DType::kI16};
  expect_definition(signs, 55);
  signs.requantise = RequantiseVariant::kFixed;
  expect_definition(signs, 56);
  Case lines = {.c = 3, .o = 3, .in = {190, 190}, .kernel = {3, 3}, .pad = {1, 1, 1, 1}};
  lines.joined = true, lines.x = lines.y = DType::kI16;
  expect_definition(lines, 57);
}

TEST(QGemm, EveryLengthOfK) {
  for (int64_t k : {1, 3, 4, 63, 64, 65, 200})
    expect_definition({.batch = 1, .c = k, .o = 37, .in = {1, 3}, .gemm = true}, 21);
}

TEST(QGemm, OneElementAndManyRows) {
  expect_definition({.gemm = true}, 22);
  expect_definition({.batch = 3, .c = 40, .o = 100, .in = {10, 9}, .gemm = true}, 23);
}

RC_GTEST_PROP(QConv, EqualsTheDefinition, ()) {
  const auto range = [](int64_t lo, int64_t hi) { return *rc::gen::inRange<int64_t>(lo, hi); };
  Case t;
  t.batch = range(1, 3), t.group = range(1, 4), t.c = range(1, 20), t.o = range(1, 40);
  if (range(0, 3) == 0) t.group = range(2, 50), t.c = t.o = 1;
  for (size_t i = 0; i < 2; ++i) {
    t.kernel[i] = range(1, 5), t.stride[i] = range(1, 4), t.dilation[i] = range(1, 3);
    t.pad[i] = range(0, 4), t.pad[i + 2] = range(0, 4);
    t.in[i] = (t.kernel[i] - 1) * t.dilation[i] + range(1, 6);
  }
  t.bits = static_cast<int>(range(1, 9));
  t.is_signed = range(0, 2) == 0;
  t.extreme = range(0, 4) == 0;
  expect_definition(t, *rc::gen::arbitrary<uint32_t>());
}

}  // namespace
}  // namespace nibble::run
