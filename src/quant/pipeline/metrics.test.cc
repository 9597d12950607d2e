#include "quant/pipeline/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "quant/graph/error.h"

namespace nibble::pipeline {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

TensorView view(std::vector<float>& values, const Shape& shape) {
  return {DType::kF32, shape, values.data()};
}

TEST(LabelMetric, CountsTop1AndTop5WithTiesAndNan) {
  // Rows: right; a tie lost to the lower index; NaN ahead of the label; the label itself NaN.
  std::vector<float> logits = {0,    9, 1, 2, 3, 4, 5, 5,    0, 0, 0, 0,
                               kNan, 7, 0, 0, 0, 0, 1, kNan, 0, 0, 0, 0};
  const std::vector<int64_t> labels = {1, 1, 1, 1};
  LabelMetric metric(false);
  metric.add(view(logits, {4, 6}), labels);
  EXPECT_DOUBLE_EQ(metric.value(), 0.25);
  EXPECT_DOUBLE_EQ(metric.top5().value(), 0.75);
}

TEST(LabelMetric, NoTop5BelowFiveClasses) {
  std::vector<float> logits = {1, 0};
  const std::vector<int64_t> labels = {0};
  LabelMetric metric(false);
  metric.add(view(logits, {1, 2}), labels);
  EXPECT_DOUBLE_EQ(metric.value(), 1);
  EXPECT_FALSE(metric.top5());
}

TEST(LabelMetric, PerplexityOfAUniformModelIsItsVocabulary) {
  std::vector<float> logits(2 * 3 * 7, 1e4f);  // large: exp alone would overflow
  const std::vector<int64_t> labels = {0, 1, 2, 3, 4, 6};
  LabelMetric metric(true);
  metric.add(view(logits, {2, 3, 7}), labels);
  EXPECT_NEAR(metric.value(), 7, 1e-9);
  EXPECT_EQ(metric.name(), "perplexity");
}

TEST(LabelMetric, RefusesWhatDoesNotFit) {
  std::vector<float> logits(6, 0);
  LabelMetric metric(false);
  EXPECT_THROW(metric.add(view(logits, {2, 3}), std::vector<int64_t>{0}), Error);
  EXPECT_THROW(metric.add(view(logits, {2, 3}), (std::vector<int64_t>{0, 3})), Error);
  EXPECT_THROW(metric.add(view(logits, {2, 3}), (std::vector<int64_t>{0, -1})), Error);
}

TEST(Sqnr, KnownRatioAndTheEnds) {
  Sqnr equal, tenth, broken;
  const std::vector<float> x = {3, -4}, near = {3.3f, -4.4f}, nan = {3, kNan}, inf = {kInf, 0};
  equal.add(x, x);
  EXPECT_EQ(equal.db(), std::numeric_limits<double>::infinity());
  tenth.add(x, near);
  EXPECT_NEAR(tenth.db(), 20, 1e-5);
  broken.add(x, nan);
  EXPECT_EQ(broken.db(), -std::numeric_limits<double>::infinity());
  Sqnr infinite;
  infinite.add(x, inf);
  EXPECT_EQ(infinite.db(), -std::numeric_limits<double>::infinity());
}

TEST(Agreement, CountsEqualPredictions) {
  std::vector<float> a = {1, 2, 0, 5, 4, 4}, b = {0, 1, 0, 4, 4, 5};
  Agreement agreement;
  agreement.add(view(a, {2, 3}), view(b, {2, 3}));
  EXPECT_DOUBLE_EQ(agreement.value(), 0.5);
  EXPECT_THROW(agreement.add(view(a, {2, 3}), view(b, {3, 2})), Error);
}

}  // namespace
}  // namespace nibble::pipeline
