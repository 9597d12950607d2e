#include <gtest/gtest.h>

#include <string>

#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

using model::Attr;
using model::Op;
using testing::RunOp;
using testing::tensor;
using testing::values;

model::Attributes mode(const char* name, const char* coordinates) {
  model::Attributes a;
  a.set(Attr::mode, std::string(name));
  a.set(Attr::coordinate_transformation_mode, std::string(coordinates));
  return a;
}

std::vector<float> resize(const model::Attributes& a, std::initializer_list<float> row,
                          int64_t size) {
  const auto n = static_cast<int64_t>(row.size());
  const Tensor x = tensor<float>({1, n, 1}, row), none(DType::kF32, {0}),
               sizes = tensor<int64_t>({3}, {1, size, 1});
  return values<float>(
      RunOp{Op::kResize, a}({x, none, none, sizes}, {{DType::kF32, {1, size, 1}}})[0]);
}

TEST(ResizeStep, LinearFollowsEachCoordinateMode) {
  EXPECT_EQ(resize(mode("linear", "half_pixel"), {1, 3}, 4),
            (std::vector<float>{1, 1.5f, 2.5f, 3}));
  EXPECT_EQ(resize(mode("linear", "align_corners"), {1, 4}, 4), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(resize(mode("linear", "asymmetric"), {1, 3}, 4), (std::vector<float>{1, 2, 3, 3}));
  EXPECT_EQ(resize(mode("linear", "align_corners"), {1, 4, 7}, 1), (std::vector<float>{1}));
}

TEST(ResizeStep, NearestBreaksTiesAsAsked) {
  model::Attributes a = mode("nearest", "half_pixel");
  a.set(Attr::nearest_mode, std::string("round_prefer_floor"));
  EXPECT_EQ(resize(a, {1, 2, 3, 4}, 2), (std::vector<float>{1, 3}));
  a.set(Attr::nearest_mode, std::string("round_prefer_ceil"));
  EXPECT_EQ(resize(a, {1, 2, 3, 4}, 2), (std::vector<float>{2, 4}));
}

TEST(ResizeStep, AntialiasedHalvingWeighsFourNeighbours) {
  model::Attributes a = mode("linear", "half_pixel");
  a.set(Attr::antialias, int64_t{1});
  // Triangle of radius 2 around 1.5: weights 1/8 3/8 3/8 1/8, edges clamped.
  EXPECT_EQ(resize(a, {0, 8, 8, 8, 8, 0}, 3)[1], 8.0f);
  EXPECT_EQ(resize(a, {0, 0, 8, 0, 0, 0}, 3)[1], 3.0f);
  EXPECT_EQ(resize(a, {0, 0, 8, 0, 0, 0}, 3)[0], 1.0f);
}

TEST(ResizeStep, NearestCopiesCodes) {
  const Tensor x = tensor<int8_t>({1, 2, 1}, {-128, 127}), none(DType::kF32, {0}),
               scales = tensor<float>({3}, {1, 2, 1});
  EXPECT_EQ(values<int8_t>(RunOp{Op::kResize, mode("nearest", "asymmetric")}(
                {x, none, scales}, {{DType::kI8, {1, 4, 1}}})[0]),
            (std::vector<int8_t>{-128, -128, 127, 127}));
}

}  // namespace
}  // namespace nibble::run
