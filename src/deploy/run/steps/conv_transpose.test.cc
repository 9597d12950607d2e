#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <random>

#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

using model::Attr;

struct Case {
  int64_t batch, group, c, o;  // channels of one group
  int64_t in[2], kernel[2], stride[2], dilation[2], pad_begin[2], pad_end[2], output_padding[2];
  int64_t out(int i) const {
    return (in[i] - 1) * stride[i] + output_padding[i] + (kernel[i] - 1) * dilation[i] + 1 -
           pad_begin[i] - pad_end[i];
  }
};

/// Integers as floats: every sum is exact, so the scattering definition must agree to the bit.
void expect_definition(const Case& t, uint32_t seed) {
  std::mt19937 rng(seed);
  const Shape y_shape{t.batch, t.out(0), t.out(1), t.group * t.o};
  testing::Node node{model::Op::kConvTranspose, {}, {}, DType::kF32, y_shape};
  const auto random = [&](const Shape& shape) {
    Tensor tensor(DType::kF32, shape);
    for (float& v : tensor.span<float>()) v = static_cast<float>(rng() % 15) - 7.0f;
    return tensor;
  };
  node.inputs = testing::activations(random({t.batch, t.in[0], t.in[1], t.group * t.c}),
                                     random({t.group * t.c, t.kernel[0], t.kernel[1], t.o}),
                                     random({t.group * t.o}));
  node.attributes.set(Attr::channels_last, int64_t{1});
  node.attributes.set(Attr::group, t.group);
  const auto list = [](const int64_t(&v)[2]) { return std::vector<int64_t>{v[0], v[1]}; };
  node.attributes.set(Attr::strides, list(t.stride));
  node.attributes.set(Attr::dilations, list(t.dilation));
  node.attributes.set(Attr::output_padding, list(t.output_padding));
  node.attributes.set(
      Attr::pads, std::vector<int64_t>{t.pad_begin[0], t.pad_begin[1], t.pad_end[0], t.pad_end[1]});
  const auto x = node.inputs[0].tensor.span<float>(), w = node.inputs[1].tensor.span<float>(),
             bias = node.inputs[2].tensor.span<float>();
  const int64_t channels = t.group * t.o;
  std::vector<float> want(static_cast<size_t>(y_shape.size()));
  for (size_t i = 0; i < want.size(); ++i) want[i] = bias[i % static_cast<size_t>(channels)];
  for (int64_t b = 0; b < t.batch; ++b)
    for (int64_t i0 = 0; i0 < t.in[0]; ++i0)
      for (int64_t i1 = 0; i1 < t.in[1]; ++i1)
        for (int64_t c = 0; c < t.group * t.c; ++c)
          for (int64_t k0 = 0; k0 < t.kernel[0]; ++k0)
            for (int64_t k1 = 0; k1 < t.kernel[1]; ++k1)
              for (int64_t o = 0; o < t.o; ++o) {
                const int64_t y0 = i0 * t.stride[0] - t.pad_begin[0] + k0 * t.dilation[0];
                const int64_t y1 = i1 * t.stride[1] - t.pad_begin[1] + k1 * t.dilation[1];
                if (y0 < 0 || y0 >= t.out(0) || y1 < 0 || y1 >= t.out(1)) continue;
                want[((b * t.out(0) + y0) * t.out(1) + y1) * channels + c / t.c * t.o + o] +=
                    x[((b * t.in[0] + i0) * t.in[1] + i1) * t.group * t.c + c] *
                    w[((c * t.kernel[0] + k0) * t.kernel[1] + k1) * t.o + o];
              }
  for (bool constant : {false, true}) {
    node.inputs[1].constant = constant;
    for (Isa isa : {Isa::kPortable, testing::best_isa()}) {
      const Tensor got = testing::run(node, isa, 2);
      ASSERT_EQ(std::memcmp(got.data(), want.data(), got.bytes()), 0)
          << name_of(isa) << " " << to_string(y_shape);
    }
  }
}

TEST(ConvTranspose, StridesPadsGroupsDilations) {
  expect_definition({1, 1, 3, 5, {3, 4}, {2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}, {0, 0}}, 1);
  expect_definition({2, 1, 4, 33, {3, 3}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 2);
  expect_definition({1, 3, 2, 4, {4, 2}, {3, 2}, {1, 3}, {2, 1}, {1, 0}, {2, 1}, {0, 2}}, 3);
  expect_definition({1, 1, 1, 1, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, {0, 0}}, 4);
  expect_definition({1, 1, 2, 2, {4, 4}, {2, 2}, {2, 2}, {1, 1}, {2, 1}, {1, 2}, {0, 0}},
                    5);  // pads crop
}

RC_GTEST_PROP(ConvTranspose, EqualsTheScatteringDefinition, ()) {
  const auto range = [](int64_t lo, int64_t hi) { return *rc::gen::inRange<int64_t>(lo, hi); };
  Case t{range(1, 3), range(1, 4), range(1, 5), range(1, 9), {}, {}, {}, {}, {}, {}, {}};
  for (int i = 0; i < 2; ++i) {
    t.in[i] = range(1, 5), t.kernel[i] = range(1, 4), t.stride[i] = range(1, 4);
    t.dilation[i] = range(1, 3), t.pad_begin[i] = range(0, 2), t.pad_end[i] = range(0, 2);
    t.output_padding[i] = range(0, t.stride[i]);
    RC_PRE(t.out(i) >= 1);
  }
  expect_definition(t, *rc::gen::arbitrary<uint32_t>());
}

}  // namespace
}  // namespace nibble::run
