#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

using model::Attr;
using testing::Node;

struct ConvCase {
  int64_t batch = 1, group = 1, c = 1, o = 1;  // channels of one group
  std::vector<int64_t> in, kernel, stride, dilation, pad_begin, pad_end;

  int64_t out(size_t i) const {
    return (in[i] + pad_begin[i] + pad_end[i] - (kernel[i] - 1) * dilation[i] - 1) / stride[i] + 1;
  }
};

Node make_node(const ConvCase& t, uint32_t seed, bool constant) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal;
  Shape x{t.batch}, w{t.group * t.o}, y{t.batch};
  for (size_t i = 0; i < t.in.size(); ++i) {
    x.push_back(t.in[i]);
    w.push_back(t.kernel[i]);
    y.push_back(t.out(i));
  }
  x.push_back(t.group * t.c);
  w.push_back(t.c);
  y.push_back(t.group * t.o);
  Node node{model::Op::kConv, {}, {}, DType::kF32, y};
  for (const Shape& shape : {x, w, Shape{t.group * t.o}}) {
    Tensor tensor(DType::kF32, shape);
    for (float& v : tensor.span<float>()) v = normal(rng);
    node.inputs.push_back({std::move(tensor), constant && !node.inputs.empty()});
  }
  std::vector<int64_t> pads = t.pad_begin;
  pads.insert(pads.end(), t.pad_end.begin(), t.pad_end.end());
  node.attributes.set(Attr::channels_last, int64_t{1});
  node.attributes.set(Attr::strides, t.stride);
  node.attributes.set(Attr::dilations, t.dilation);
  node.attributes.set(Attr::pads, pads);
  node.attributes.set(Attr::group, t.group);
  node.attributes.set(Attr::clip_min, -3.0f);
  node.attributes.set(Attr::clip_max, 4.0f);
  return node;
}

/// The definition, with fused multiply-add over (taps, channel) from the bias; 3 axes.
std::vector<float> plain(const ConvCase& given, const Node& node) {
  ConvCase t = given;
  const auto extend = [](std::vector<int64_t>& v, int64_t value) {
    std::vector<int64_t> three(3, value);
    std::copy(v.begin(), v.end(), three.end() - static_cast<int64_t>(v.size()));
    v = three;
  };
  for (auto* v : {&t.in, &t.kernel, &t.stride, &t.dilation}) extend(*v, 1);
  for (auto* v : {&t.pad_begin, &t.pad_end}) extend(*v, 0);
  const auto x = node.inputs[0].tensor.span<float>(), w = node.inputs[1].tensor.span<float>(),
             bias = node.inputs[2].tensor.span<float>();
  std::vector<float> y;
  for (int64_t b = 0; b < t.batch; ++b)
    for (int64_t y0 = 0; y0 < t.out(0); ++y0)
      for (int64_t y1 = 0; y1 < t.out(1); ++y1)
        for (int64_t y2 = 0; y2 < t.out(2); ++y2)
          for (int64_t o = 0; o < t.group * t.o; ++o) {
            float acc = bias[o];
            for (int64_t k0 = 0; k0 < t.kernel[0]; ++k0)
              for (int64_t k1 = 0; k1 < t.kernel[1]; ++k1)
                for (int64_t k2 = 0; k2 < t.kernel[2]; ++k2)
                  for (int64_t c = 0; c < t.c; ++c) {
                    const int64_t x0 = y0 * t.stride[0] - t.pad_begin[0] + k0 * t.dilation[0];
                    const int64_t x1 = y1 * t.stride[1] - t.pad_begin[1] + k1 * t.dilation[1];
                    const int64_t x2 = y2 * t.stride[2] - t.pad_begin[2] + k2 * t.dilation[2];
                    const bool inside = x0 >= 0 && x0 < t.in[0] && x1 >= 0 && x1 < t.in[1] &&
                                        x2 >= 0 && x2 < t.in[2];
                    if (!inside) continue;
                    const int64_t channel = o / t.o * t.c + c;
                    const float xv =
                        x[(((b * t.in[0] + x0) * t.in[1] + x1) * t.in[2] + x2) * (t.group * t.c) +
                          channel];
                    const float wv =
                        w[(((o * t.kernel[0] + k0) * t.kernel[1] + k1) * t.kernel[2] + k2) * t.c +
                          c];
                    acc = std::fma(xv, wv, acc);
                  }
            y.push_back(std::min(std::max(acc, -3.0f), 4.0f));
          }
  return y;
}

void expect_plain(const ConvCase& t, uint32_t seed) {
  for (bool constant : {true, false}) {
    const Node node = make_node(t, seed, constant);
    const std::vector<float> want = plain(t, node);
    for (Isa isa : runnable_isas()) {
      for (int threads : {1, 2}) {
        const Tensor got = testing::run(node, isa, threads);
        ASSERT_EQ(static_cast<size_t>(got.size()), want.size());
        ASSERT_EQ(std::memcmp(got.data(), want.data(), got.bytes()), 0)
            << name_of(isa) << " threads " << threads << " in "
            << to_string(node.inputs[0].tensor.shape()) << " weights "
            << to_string(node.inputs[1].tensor.shape()) << " groups " << t.group;
      }
    }
  }
}

TEST(Conv, Pointwise) {
  expect_plain({2, 1, 5, 40, {3, 4}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, 1);
  expect_plain({1, 1, 16, 8, {5, 7}, {1, 1}, {2, 2}, {1, 1}, {0, 0}, {0, 0}}, 2);
}

TEST(Conv, PadsOfEverySide) {
  expect_plain({2, 1, 3, 17, {6, 5}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 3);
  expect_plain({1, 1, 3, 4, {4, 4}, {3, 3}, {2, 2}, {1, 1}, {0, 0}, {1, 1}}, 4);
  expect_plain({1, 1, 2, 4, {2, 2}, {3, 3}, {1, 2}, {1, 1}, {5, 0}, {2, 6}},
               5);  // windows of padding alone
  expect_plain({1, 1, 3, 64, {23, 23}, {7, 7}, {2, 2}, {1, 1}, {3, 3}, {3, 3}}, 6);
}

TEST(Conv, GroupsDilationsOneAndThreeAxes) {
  expect_plain({1, 3, 4, 5, {6, 6}, {3, 3}, {1, 1}, {2, 1}, {2, 1}, {2, 1}}, 7);
  expect_plain({1, 8, 1, 1, {6, 6}, {3, 3}, {2, 1}, {1, 1}, {1, 1}, {1, 1}}, 8);
  expect_plain({2, 1, 3, 6, {11}, {4}, {3}, {2}, {2}, {1}}, 9);
  expect_plain({1, 2, 2, 3, {4, 5, 3}, {2, 3, 2}, {1, 2, 1}, {2, 1, 1}, {1, 0, 1}, {0, 1, 1}}, 10);
}

TEST(Conv, OneElement) {
  expect_plain({1, 1, 1, 1, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, 11);
}

RC_GTEST_PROP(Conv, EqualsTheDefinition, ()) {
  ConvCase t;
  t.batch = *rc::gen::inRange<int64_t>(1, 3);
  t.group = *rc::gen::inRange<int64_t>(1, 4);
  t.c = *rc::gen::inRange<int64_t>(1, 6);
  t.o = *rc::gen::inRange<int64_t>(1, 6);
  for (int axis = 0; axis < *rc::gen::inRange(1, 4); ++axis) {
    t.kernel.push_back(*rc::gen::inRange<int64_t>(1, 4));
    t.dilation.push_back(*rc::gen::inRange<int64_t>(1, 3));
    t.stride.push_back(*rc::gen::inRange<int64_t>(1, 4));
    t.pad_begin.push_back(*rc::gen::inRange<int64_t>(0, 3));
    t.pad_end.push_back(*rc::gen::inRange<int64_t>(0, 3));
    t.in.push_back((t.kernel.back() - 1) * t.dilation.back() + *rc::gen::inRange<int64_t>(1, 6));
  }
  expect_plain(t, *rc::gen::arbitrary<uint32_t>());
}

}  // namespace
}  // namespace nibble::run
