#include <cmath>
#include <limits>

#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<Tensor> quantize(const Shape& shape, const std::vector<float>& x, int threads = 1) {
  const Shape rows(shape.dims().first(shape.rank() - 1));
  testing::Node node{model::Op::kDynamicQuantize, {}, {}, DType::kI8, shape};
  node.further_outputs = {{DType::kF32, rows}};
  node.inputs = testing::activations(testing::tensor<float>(shape, x));
  std::vector<Tensor> best = testing::run_all(node, testing::best_isa(), threads);
  const std::vector<Tensor> portable = testing::run_all(node, Isa::kPortable);
  EXPECT_EQ(testing::values<int8_t>(best[0]), testing::values<int8_t>(portable[0]));
  EXPECT_EQ(testing::values<float>(best[1]), testing::values<float>(portable[1]));
  return best;
}

TEST(DynamicQuantize, ScaleIsALargestMagnitudeAndTiesGoToEven) {
  const auto y = quantize({2, 4}, {127, 2.5f, -3.5f, 0.5f, -1, 1, 0.25f, 0});
  EXPECT_EQ(testing::values<float>(y[1]), (std::vector<float>{1, 1 / 127.0f}));
  EXPECT_EQ(testing::values<int8_t>(y[0]), (std::vector<int8_t>{127, 2, -4, 0, -127, 127, 32, 0}));
}

TEST(DynamicQuantize, ZerosNansAndInfinities) {
  const auto y =
      quantize({4, 3}, {0, -0.0f, 0, kNan, 2, -1, kInfinity, -kInfinity, 1, 1e-45f, 0, -1e-45f});
  const float largest = std::numeric_limits<float>::max() / 127.0f;
  EXPECT_EQ(testing::values<float>(y[1]),
            (std::vector<float>{0x1p-126f, 2 / 127.0f, largest, 0x1p-126f}));
  EXPECT_EQ(testing::values<int8_t>(y[0]),
            (std::vector<int8_t>{0, 0, 0, 0, 127, -64, 127, -127, 0, 0, 0, 0}));
}

TEST(DynamicQuantize, EveryLengthFollowsTheFormula) {
  for (int64_t k : {1, 2, 15, 16, 17, 63, 64, 65, 1000}) {
    std::vector<float> x;
    for (int64_t i = 0; i < 3 * k; ++i)
      x.push_back(std::cos(static_cast<float>(i * i)) * static_cast<float>(i / k + 1));
    const auto y = quantize({3, k}, x, 2);
    for (int64_t i = 0; i < 3; ++i) {
      float most = 0;
      for (int64_t j = 0; j < k; ++j) most = std::max(most, std::abs(x[i * k + j]));
      const float scale = most / 127.0f;
      EXPECT_EQ(testing::values<float>(y[1])[i], scale);
      for (int64_t j = 0; j < k; ++j)
        EXPECT_EQ(testing::values<int8_t>(y[0])[i * k + j],
                  static_cast<int8_t>(std::nearbyint(x[i * k + j] / scale)));
    }
  }
}

TEST(DynamicQuantize, EmptyRowsAndNoRows) {
  EXPECT_EQ(quantize({0, 5}, {})[1].size(), 0);
  EXPECT_EQ(testing::values<float>(quantize({2, 0}, {})[1]),
            (std::vector<float>{0x1p-126f, 0x1p-126f}));
}

}  // namespace
}  // namespace nibble::run
