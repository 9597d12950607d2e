#include "deploy/numeric/quantize.h"

#include <gtest/gtest.h>
//
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "deploy/numeric/grid.h"
#include "deploy/numeric/scale_index.h"

namespace nibble::numeric {
namespace {

QuantParams make(RangeKind range, int bits, std::vector<float> scales,
                 std::vector<int32_t> zeros = {}) {
  QuantParams p;
  p.bits = bits;
  p.range = range;
  p.qmin = code_range(range, bits).qmin;
  p.qmax = code_range(range, bits).qmax;
  p.scales = std::move(scales);
  p.zero_points = std::move(zeros);
  return p;
}

/// A random grid of one scale for any kind and width.
QuantParams any_params() {
  const auto range = static_cast<RangeKind>(*rc::gen::inRange(1, 7));
  const int bits = *rc::gen::inRange(kMinBits, kMaxBits + 1);
  const float scale =
      std::ldexp(1.0f + 0.001f * *rc::gen::inRange(0, 1000), *rc::gen::inRange(-20, 20));
  QuantParams p = make(range, bits, {scale});
  if (range == RangeKind::kAsymmetric) p.zero_points = {*rc::gen::inRange(p.qmin, p.qmax + 1)};
  return p;
}

/// A real that is likely to fall inside the grid or just outside it.
float any_real(const QuantParams& p) {
  const float span = static_cast<float>(p.qmax - p.qmin) * p.scales[0];
  return span * static_cast<float>(*rc::gen::inRange(-40000, 40001)) / 30000.0f;
}

int32_t code(float x, const QuantParams& p) {
  int32_t q;
  grid_of(p.grid).quantize(&x, 1, p, 0, &q);
  return q;
}

float real(int32_t q, const QuantParams& p) {
  float x;
  grid_of(p.grid).dequantize(&q, 1, p, 0, &x);
  return x;
}

TEST(CodeRange, HoldsTheNamedKinds) {
  EXPECT_EQ(code_range(RangeKind::kRestricted, 8), (CodeRange{-127, 127}));
  EXPECT_EQ(code_range(RangeKind::kWhitePaper, 8), (CodeRange{-128, 127}));
  EXPECT_EQ(code_range(RangeKind::kFull, 4), (CodeRange{-8, 7}));
  EXPECT_EQ(code_range(RangeKind::kTwos, 2), (CodeRange{-2, 1}));
  EXPECT_EQ(code_range(RangeKind::kUnsigned, 2), (CodeRange{0, 3}));
  EXPECT_EQ(code_range(RangeKind::kAsymmetric, 16), (CodeRange{0, 65535}));
}

TEST(Grids, AreListedOnceAndComplete) {
  for (const Grid* grid : grids()) {
    EXPECT_TRUE(is_grid(static_cast<int>(grid->id)));
    EXPECT_EQ(&grid_of(grid->id), grid);
    EXPECT_FALSE(grid->name.empty() || grid->summary.empty() || grid->source.empty());
    EXPECT_TRUE(grid->quantize && grid->dequantize);
  }
  EXPECT_FALSE(is_grid(0));
  EXPECT_FALSE(is_grid(255));
}

RC_GTEST_PROP(AffineGrid, ErrorIsHalfAStepInsideTheRange, ()) {
  const QuantParams p = any_params();
  const float s = p.scales[0];
  const float lowest = real(p.qmin, p), highest = real(p.qmax, p);
  const float x = std::clamp(any_real(p), lowest, highest);
  const float ulp =
      std::nextafter(std::abs(x), std::numeric_limits<float>::infinity()) - std::abs(x);
  RC_ASSERT(std::abs(double{x} - real(code(x, p), p)) <= 0.5 * s + ulp);
  RC_ASSERT(code(lowest, p) == p.qmin);
  RC_ASSERT(code(highest, p) == p.qmax);
}

RC_GTEST_PROP(AffineGrid, KeepsZeroIsIdempotentMonotoneAndInRange, ()) {
  const QuantParams p = any_params();
  RC_ASSERT(real(code(0.0f, p), p) == 0.0f);
  float a = any_real(p), b = any_real(p);
  if (a > b) std::swap(a, b);
  RC_ASSERT(code(a, p) <= code(b, p));
  RC_ASSERT(code(a, p) >= p.qmin && code(a, p) <= p.qmax);
  RC_ASSERT(code(real(code(a, p), p), p) == code(a, p));
}

RC_GTEST_PROP(AffineGrid, SymmetricKindsAreOddButForTheSpareCode, ()) {
  const QuantParams p = any_params();
  if (!is_symmetric(p.range)) RC_DISCARD();
  const float x = any_real(p);
  const int32_t positive = code(x, p), negative = code(-x, p);
  if (std::min(positive, negative) < -p.qmax)
    RC_ASSERT(std::max(positive, negative) == p.qmax);
  else
    RC_ASSERT(negative == -positive);
}

RC_GTEST_PROP(AffineGrid, WhitePaperEqualsRestrictedInsideTheRange, ()) {
  const int bits = *rc::gen::inRange(kMinBits, kMaxBits + 1);
  const float scale = 0.01f * *rc::gen::inRange(1, 1000);
  const QuantParams restricted = make(RangeKind::kRestricted, bits, {scale});
  const QuantParams white_paper = make(RangeKind::kWhitePaper, bits, {scale});
  const float m = real(restricted.qmax, restricted);
  const float x = std::clamp(any_real(restricted), -m, m);
  RC_ASSERT(code(x, restricted) == code(x, white_paper));
}

TEST(AffineGrid, UniformDataHasTheSqnrOfItsIntervals) {
  // Levels on both ends of [0, 1]: 20 log10(2^b - 1) dB.
  for (int bits : {3, 8}) {
    const int32_t steps = (1 << bits) - 1;
    const QuantParams p = make(RangeKind::kUnsigned, bits, {1.0f / static_cast<float>(steps)});
    double signal = 0, noise = 0;
    constexpr int kSamples = 1000000;
    for (int i = 0; i < kSamples; ++i) {
      const float x = (static_cast<float>(i) + 0.5f) / kSamples;
      const double error = double{x} - real(code(x, p), p);
      signal += (x - 0.5) * (x - 0.5);
      noise += error * error;
    }
    EXPECT_NEAR(10 * std::log10(signal / noise), 20 * std::log10(steps), 0.01) << bits;
  }
}

TEST(ScaleIndex, NamesTheScaleOfEveryElementAndRunsAgree) {
  const Shape shape{2, 5, 3, 2};
  for (int granularity = 1; granularity <= 4; ++granularity)
    for (int axis = 0; axis < 4; ++axis)
      for (int block_axis = 0; block_axis < 4; ++block_axis)
        for (int64_t group : {1, 2, 3, 5, 99}) {
          if (axis == block_axis) continue;
          QuantParams p;
          p.granularity = static_cast<Granularity>(granularity);
          p.axis = axis;
          p.block_axis = block_axis;
          p.group = group;
          const ScaleIndex index(p, shape);
          ASSERT_EQ(index.count(), static_cast<size_t>(scale_count(p, shape)));
          std::vector<size_t> by_runs;
          index.for_each_run([&](int64_t first, int64_t length, size_t unit) {
            ASSERT_EQ(first, static_cast<int64_t>(by_runs.size()));
            ASSERT_GE(length, 1);
            by_runs.insert(by_runs.end(), static_cast<size_t>(length), unit);
          });
          ASSERT_EQ(by_runs.size(), 60u);
          for (int64_t i = 0; i < 60; ++i) {
            const int64_t at[] = {i / 30, i / 6 % 5, i / 2 % 3, i % 2};
            int64_t expected = 0;
            if (p.granularity == Granularity::kChannel) expected = at[axis];
            if (p.granularity == Granularity::kGroup) expected = at[axis] / group;
            if (p.granularity == Granularity::kBlock)
              expected =
                  at[axis] * ((shape[block_axis] + group - 1) / group) + at[block_axis] / group;
            ASSERT_EQ(index[i], static_cast<size_t>(expected)) << i;
            ASSERT_EQ(by_runs[static_cast<size_t>(i)], index[i]) << i;
          }
        }
}

TEST(ScaleIndex, TakesEmptyAndScalarTensors) {
  QuantParams p;
  int runs = 0;
  ScaleIndex(p, Shape{}).for_each_run([&](int64_t, int64_t n, size_t) {
    runs += static_cast<int>(n);
  });
  EXPECT_EQ(runs, 1);
  p.granularity = Granularity::kChannel;
  p.axis = 0;
  ScaleIndex(p, Shape{3, 0}).for_each_run([&](int64_t, int64_t, size_t) { FAIL(); });
}

TEST(Quantize, WritesEveryContainerAndCountsNan) {
  const float nan = std::nanf("");
  const std::vector<float> values = {-1, -0.25f, 0, 0.25f, 0.5f, nan};
  const Tensor x = Tensor::of<float>({2, 3}, values);
  QuantParams p = make(RangeKind::kRestricted, 4, {0.5f, 0.25f});
  p.granularity = Granularity::kChannel;
  const std::vector<int> expected = {-2, 0, 0, 1, 2, 0};
  for (DType dtype : {DType::kI8, DType::kI16, DType::kI32}) {
    Tensor codes(dtype, x.shape());
    const auto nans = quantize(x.view(), p, codes.view());
    ASSERT_TRUE(nans.ok()) << nans.status().message();
    EXPECT_EQ(nans.value(), 1);
    visit_dtype(dtype, [&]<class T>(std::type_identity<T>) {
      for (size_t i = 0; i < 6; ++i) EXPECT_EQ(static_cast<int>(codes.span<T>()[i]), expected[i]);
    });
    Tensor back(DType::kF32, x.shape());
    ASSERT_TRUE(dequantize(codes.view(), p, back.view()).ok());
    Tensor fake(DType::kF32, x.shape());
    EXPECT_EQ(fake_quantize(x.view(), p, fake.view()).value(), 1);
    for (size_t i = 0; i < 6; ++i) EXPECT_EQ(back.span<float>()[i], fake.span<float>()[i]);
  }
}

TEST(Quantize, CrossesItsBufferAndShortBlocks) {
  constexpr int64_t kColumns = 1301;
  Tensor x(DType::kF32, {3, kColumns});
  for (size_t i = 0; i < x.span<float>().size(); ++i)
    x.span<float>()[i] = static_cast<float>(i % 7) - 3;
  QuantParams p = make(RangeKind::kAsymmetric, 8, {});
  p.granularity = Granularity::kBlock;
  p.group = 600;
  for (int i = 0; i < 9; ++i) {
    p.scales.push_back(0.125f * static_cast<float>(i + 1));
    p.zero_points.push_back(100 + i);
  }
  Tensor codes(DType::kU8, x.shape());
  ASSERT_TRUE(quantize(x.view(), p, codes.view()).ok());
  for (int64_t i = 0; i < x.size(); ++i) {
    const int64_t unit = i / kColumns * 3 + i % kColumns / 600;
    const float v = std::nearbyint(x.span<float>()[static_cast<size_t>(i)] /
                                   (0.125f * static_cast<float>(unit + 1)));
    ASSERT_EQ(codes.span<uint8_t>()[static_cast<size_t>(i)], static_cast<int>(v) + 100 + unit) << i;
  }
}

TEST(Quantize, RefusesWhatDoesNotFit) {
  Tensor x(DType::kF32, {2, 2});
  Tensor codes(DType::kI8, {2, 2});
  const auto message = [&](const QuantParams& p) {
    return quantize(x.view(), p, codes.view()).status().message();
  };
  EXPECT_EQ(message(make(RangeKind::kUnsigned, 8, {1.0f})),
            "codes 0..255 do not fit a container of i8");
  EXPECT_EQ(message(make(RangeKind::kRestricted, 8, {1.0f, 1.0f})),
            "2 scales, expected 1 (per tensor of 2x2)");
  EXPECT_EQ(message(make(RangeKind::kRestricted, 8, {0.0f})),
            "scale 0 is 0.000000, expected a positive finite number");
  EXPECT_EQ(message(make(RangeKind::kRestricted, 8, {1.0f}, {1})), "zero point 0 is 1, expected 0");
  EXPECT_EQ(message(make(RangeKind::kAsymmetric, 4, {1.0f}, {16})),
            "zero point 0 is 16, expected 0..15");
  EXPECT_EQ(message(make(RangeKind::kUnsigned, 4, {1.0f}, {1})),
            "zero point 0 of an unsigned grid is 1, expected 0");
  QuantParams p = make(RangeKind::kRestricted, 8, {1.0f});
  p.qmin = -128;
  EXPECT_EQ(message(p), "codes -128..127 are not 8-bit restricted codes, expected -127..127");
  p = make(RangeKind::kRestricted, 8, {1.0f});
  p.granularity = Granularity::kChannel;
  p.axis = 2;
  EXPECT_EQ(message(p), "scale axis 2 does not exist in shape 2x2");
  p.granularity = Granularity::kBlock;
  p.axis = p.block_axis = 1;
  p.group = 0;
  EXPECT_EQ(message(p), "group size 0, expected at least 1");
  p.group = 1;
  EXPECT_EQ(message(p), "scale axis and block axis are both 1");
  p.bits = 17;
  EXPECT_EQ(message(p), "bit width 17, expected 2..16");
  p = make(RangeKind::kRestricted, 8, {1.0f});
  Tensor wrong(DType::kI8, {4});
  EXPECT_EQ(quantize(x.view(), p, wrong.view()).status().message(), "shape 4, expected 2x2");
  EXPECT_EQ(quantize(codes.view(), p, codes.view()).status().message(),
            "tensor of i8, expected f32");
  EXPECT_EQ(dequantize(x.view(), p, x.view()).message(),
            "codes -127..127 do not fit a container of f32");
}

TEST(Check, TakesUnsignedCodesInSignedContainers) {
  QuantParams p = make(RangeKind::kAsymmetric, 8, {1.0f}, {-128});
  p.qmin = -128;
  p.qmax = 127;
  EXPECT_TRUE(check(p, {3}).ok());
  p.range = RangeKind::kUnsigned;
  EXPECT_TRUE(check(p, {3}).ok());
  p.zero_points = {0};
  EXPECT_FALSE(check(p, {3}).ok());
}

}  // namespace
}  // namespace nibble::numeric
