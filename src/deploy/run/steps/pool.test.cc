#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>

#include "deploy/numeric/rounding.h"
#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

using model::Attr;
using model::Op;
using testing::RunOp;
using testing::tensor;
using testing::values;

model::Attributes window(std::vector<int64_t> kernel, std::vector<int64_t> strides,
                         std::vector<int64_t> pads) {
  model::Attributes a;
  a.set(Attr::kernel_shape, std::move(kernel));
  a.set(Attr::strides, std::move(strides));
  a.set(Attr::pads, std::move(pads));
  return a;
}

/// [N, C, H, W] to [N, H, W, C].
template <class T>
Tensor to_last(const Tensor& x) {
  const Shape& s = x.shape();
  Tensor y(x.dtype(), {s[0], s[2], s[3], s[1]});
  for (int64_t n = 0; n < s[0]; ++n)
    for (int64_t c = 0; c < s[1]; ++c)
      for (int64_t p = 0; p < s[2] * s[3]; ++p)
        y.span<T>()[static_cast<size_t>((n * s[2] * s[3] + p) * s[1] + c)] =
            x.span<T>()[static_cast<size_t>((n * s[1] + c) * s[2] * s[3] + p)];
  return y;
}

TEST(PoolStep, MeanOfCodesRoundsHalfToEvenAndPadsWithTheCodeOfZero) {
  const Tensor x = tensor<int8_t>({1, 2, 2, 1}, {-128, 127, 3, 4});
  model::Attributes a = window({2, 2}, {1, 1}, {1, 0, 0, 0});
  a.set(Attr::channels_last, int64_t{1});
  a.set(Attr::x_zero, int64_t{-3});
  EXPECT_EQ(values<int8_t>(RunOp{Op::kAveragePool, a}({x}, {{DType::kI8, {1, 2, 1, 1}}})[0]),
            (std::vector<int8_t>{0, 2}));  // -1/2 -> 0; 6/4 = 1.5 -> 2
  a.set(Attr::count_include_pad, int64_t{1});
  EXPECT_EQ(values<int8_t>(RunOp{Op::kAveragePool, a}({x}, {{DType::kI8, {1, 2, 1, 1}}})[0]),
            (std::vector<int8_t>{-2, 2}));  // (-1 - 3 - 3)/4 = -1.75
}

TEST(PoolStep, IndicesCountInChannelsFirstOrderWhateverTheLayout) {
  Tensor x(DType::kF32, {1, 2, 2, 3});
  for (size_t i = 0; i < 12; ++i) x.span<float>()[i] = static_cast<float>(i * 7 % 12);
  model::Attributes a = window({2, 2}, {1, 1}, {0, 0, 0, 0});
  const auto first =
      RunOp{Op::kMaxPool, a}({x}, {{DType::kF32, {1, 2, 1, 2}}, {DType::kI64, {1, 2, 1, 2}}});
  EXPECT_EQ(values<float>(first[0]), (std::vector<float>{9, 11, 10, 10}));
  EXPECT_EQ(values<int64_t>(first[1]), (std::vector<int64_t>{3, 5, 10, 10}));
  a.set(Attr::channels_last, int64_t{1});
  const Tensor x_last = to_last<float>(x);
  const auto last =
      RunOp{Op::kMaxPool, a}({x_last}, {{DType::kF32, {1, 1, 2, 2}}, {DType::kI64, {1, 1, 2, 2}}});
  EXPECT_EQ(values<int64_t>(last[1]), (std::vector<int64_t>{3, 10, 5, 10}));
  a.set(Attr::storage_order, int64_t{1});
  const auto columns =
      RunOp{Op::kMaxPool, a}({x_last}, {{DType::kF32, {1, 1, 2, 2}}, {DType::kI64, {1, 1, 2, 2}}});
  EXPECT_EQ(values<int64_t>(columns[1]), (std::vector<int64_t>{1, 9, 5, 9}));
}

TEST(PoolStep, FusedClipBoundsTheMaximum) {
  model::Attributes a;
  a.set(Attr::clip_max, 6.0f);
  const Tensor x = tensor<float>({1, 2, 2}, {1, 9, 2, 3});
  EXPECT_EQ(values<float>(RunOp{Op::kGlobalMaxPool, a}({x}, {{DType::kF32, {1, 2, 1}}})[0]),
            (std::vector<float>{6, 3}));
}

/// Random windows: both layouts, every ISA and two threads give the bytes of the definition.
RC_GTEST_PROP(PoolStep, EqualsTheDefinition, ()) {
  const int64_t n = *rc::gen::inRange(1, 3), c = *rc::gen::inRange(1, 40);
  const int64_t h = *rc::gen::inRange(3, 9), w = *rc::gen::inRange(3, 9),
                kh = *rc::gen::inRange(1, 4), kw = *rc::gen::inRange(1, 4),
                sh = *rc::gen::inRange(1, 4), sw = *rc::gen::inRange(1, 4),
                ph = *rc::gen::inRange<int64_t>(0, kh), pw = *rc::gen::inRange<int64_t>(0, kw);
  const bool average = *rc::gen::arbitrary<bool>(), include = *rc::gen::arbitrary<bool>();
  const int64_t oh = (h + 2 * ph - kh) / sh + 1, ow = (w + 2 * pw - kw) / sw + 1;
  Tensor x(DType::kF32, {n, c, h, w}), want(DType::kF32, {n, c, oh, ow});
  for (int64_t i = 0; i < x.size(); ++i)
    x.span<float>()[static_cast<size_t>(i)] =
        std::sin(static_cast<float>(i)) * (i % 3 ? 1.0f : 1e5f);
  for (int64_t i = 0; i < want.size(); ++i) {
    const int64_t ox = i % ow, oy = i / ow % oh, plane = i / ow / oh;
    float sum = 0, most = -INFINITY;
    int64_t taps = 0;
    for (int64_t y = oy * sh - ph; y < oy * sh - ph + kh; ++y)
      for (int64_t z = ox * sw - pw; z < ox * sw - pw + kw; ++z) {
        if (y < 0 || z < 0 || y >= h || z >= w) continue;
        const float v = x.span<float>()[static_cast<size_t>((plane * h + y) * w + z)];
        sum += v;
        most = std::max(most, v);
        ++taps;
      }
    if (include) taps = kh * kw;
    want.span<float>()[static_cast<size_t>(i)] = average ? sum / static_cast<float>(taps) : most;
  }
  model::Attributes a = window({kh, kw}, {sh, sw}, {ph, pw, ph, pw});
  a.set(Attr::count_include_pad, int64_t{include});
  const Op op = average ? Op::kAveragePool : Op::kMaxPool;
  const Tensor x_last = to_last<float>(x), want_last = to_last<float>(want);
  for (Isa isa : runnable_isas()) {
    const auto first = RunOp{.op = op, .attributes = a, .isa = isa, .threads = 2}(
        {x}, {{DType::kF32, want.shape()}});
    RC_ASSERT(std::memcmp(first[0].data(), want.data(), want.bytes()) == 0);
    model::Attributes b = a;
    b.set(Attr::channels_last, int64_t{1});
    const auto last = RunOp{.op = op, .attributes = b, .isa = isa, .threads = 2}(
        {x_last}, {{DType::kF32, want_last.shape()}});
    RC_ASSERT(std::memcmp(last[0].data(), want_last.data(), want.bytes()) == 0);
  }
}

}  // namespace
}  // namespace nibble::run
