// Binary and ternary grids, and the affine grid of one bit.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "deploy/base/tensor.h"
#include "deploy/numeric/grid.h"
#include "deploy/numeric/quantize.h"
#include "deploy/numeric/rounding.h"

namespace nibble::numeric {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kTiny = std::numeric_limits<float>::denorm_min();

QuantParams small(GridId grid, float scale) {
  QuantParams p;
  p.grid = grid;
  p.bits = grid == GridId::kBinary ? 1 : 2;
  p.qmin = -1;
  p.qmax = 1;
  p.scales = {scale};
  return p;
}

TEST(BinaryGrid, IsTheSignWithZeroAndNanPositive) {
  const QuantParams p = small(GridId::kBinary, 0.25f);
  for (float x : {0.0f, -0.0f, kTiny, 3.0f, kInf, NAN, -NAN}) EXPECT_EQ(quantize_one(x, p), 1) << x;
  for (float x : {-kTiny, -1e-30f, -0.3f, -kInf}) EXPECT_EQ(quantize_one(x, p), -1) << x;
  // The scale has no say: -denorm_min / 3 rounds to zero.
  EXPECT_EQ(quantize_one(-kTiny, small(GridId::kBinary, 3)), -1);
}

TEST(BinaryGrid, WholeTensorsAndIdempotence) {
  QuantParams p = small(GridId::kBinary, 1);
  p.granularity = Granularity::kChannel;
  p.scales = {0.5f, 2};
  const float x[] = {-3, 0, 7, -0.0f, -1, NAN}, real[] = {-0.5f, 0.5f, 0.5f, 2, -2, 2};
  Tensor in = Tensor::of<float>({2, 3}, std::span(x)), out(DType::kF32, {2, 3});
  const auto nans = fake_quantize(in.view(), p, out.view());
  ASSERT_TRUE(nans.ok());
  EXPECT_EQ(nans.value(), 1);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(out.span<float>()[i], real[i]);
  ASSERT_TRUE(fake_quantize(out.view(), p, in.view()).ok());
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(in.span<float>()[i], real[i]);
}

TEST(TernaryGrid, ThresholdIsHalfTheScale) {
  const QuantParams p = small(GridId::kTernary, 0.5f);
  for (float x : {0.25f, -0.25f, 0.0f, -0.0f, NAN, kTiny}) EXPECT_EQ(quantize_one(x, p), 0) << x;
  for (float x : {0.2500001f, 0.5f, 9.0f, kInf}) {
    EXPECT_EQ(quantize_one(x, p), 1) << x;
    EXPECT_EQ(quantize_one(-x, p), -1) << x;
  }
}

TEST(OneBitAffineGrid, HoldsZeroAtEitherEnd) {
  QuantParams p;
  p.bits = 1;
  p.range = RangeKind::kAsymmetric;
  p.qmin = 0;
  p.qmax = 1;
  p.scales = {2};
  p.zero_points = {0};
  EXPECT_TRUE(check(p, {4}).ok());
  EXPECT_EQ(quantize_one(1, p), 0);  // a tie, to even
  EXPECT_EQ(quantize_one(1.001f, p), 1);
  EXPECT_EQ(quantize_one(-kInf, p), 0);
  p.zero_points = {1};
  EXPECT_EQ(quantize_one(-1.001f, p), 0);
  EXPECT_EQ(quantize_one(5, p), 1);
}

TEST(SmallGrids, CheckKnowsTheirWidthsRangesAndCodes) {
  for (GridId grid : {GridId::kBinary, GridId::kTernary}) {
    const QuantParams good = small(grid, 1);
    ASSERT_TRUE(check(good, {4}).ok());
    const auto refused = [&](auto change) {
      QuantParams p = good;
      change(p);
      return !check(p, {4}).ok();
    };
    EXPECT_TRUE(refused([](auto& p) { p.bits = 3 - p.bits; }));
    EXPECT_TRUE(refused([](auto& p) { p.bits = 8; }));
    EXPECT_TRUE(refused([](auto& p) { p.range = RangeKind::kFull; }));
    EXPECT_TRUE(refused([](auto& p) { p.range = RangeKind::kAsymmetric; }));
    EXPECT_TRUE(refused([](auto& p) { p.qmin = 0; }));
    EXPECT_TRUE(refused([](auto& p) { p.qmin = 0, p.qmax = 2; }));
    EXPECT_TRUE(refused([](auto& p) { p.zero_points = {1}; }));
    EXPECT_TRUE(refused([](auto& p) { p.scales = {0}; }));
  }
  QuantParams affine;
  affine.bits = 1;
  for (RangeKind range : {RangeKind::kRestricted, RangeKind::kFull, RangeKind::kTwos}) {
    affine.range = range;
    affine.scales = {1};
    affine.qmin = -1, affine.qmax = 0;
    EXPECT_FALSE(check(affine, {4}).ok());
  }
}

}  // namespace
}  // namespace nibble::numeric
