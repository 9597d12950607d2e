#include <gtest/gtest.h>

#include "deploy/numeric/quantize.h"
#include "quant/calibrate/samples_for_test.h"
#include "quant/graph/error.h"

namespace nibble::calibrate {
namespace {

using numeric::Granularity;
using numeric::QuantParams;
using numeric::RangeKind;

QuantParams fit(const Tensor& w, const GridSpec& grid, Granularity granularity, int64_t group = 0,
                std::string_view method = "mse", int axis = 0, int block_axis = 1) {
  const QuantParams p =
      fit_weights(w.view(), grid, granularity, axis, block_axis, group, method, {});
  EXPECT_TRUE(numeric::check(p, w.shape()).ok()) << numeric::check(p, w.shape()).message();
  return p;
}

/// Squared error by index of axis 0.
std::vector<double> row_errors(const Tensor& w, const QuantParams& p) {
  Tensor q(DType::kF32, w.shape());
  EXPECT_TRUE(numeric::fake_quantize(w.view(), p, q.view()).ok());
  std::vector<double> errors(static_cast<size_t>(w.shape()[0]));
  for (size_t i = 0; i < w.span<float>().size(); ++i) {
    const double e = w.span<float>()[i] - q.span<float>()[i];
    errors[i * errors.size() / w.span<float>().size()] += e * e;
  }
  return errors;
}

double error(const Tensor& w, const QuantParams& p) {
  double sum = 0;
  for (double e : row_errors(w, p)) sum += e;
  return sum;
}

Tensor matrix(int64_t rows, int64_t columns, uint32_t seed = 1) {
  return Tensor::of<float>({rows, columns}, gaussian(static_cast<size_t>(rows * columns), seed));
}

TEST(FitWeights, ChannelErrorsDoNotDependOnTheirScale) {
  Tensor w = matrix(4, 256);
  for (size_t i = 0; i < 1024; ++i)
    w.span<float>()[i] = std::ldexp(w.span<float>()[i % 256], static_cast<int>(i / 256) * 4);
  for (const GridSpec& grid :
       {GridSpec{4, RangeKind::kFull}, GridSpec{4, RangeKind::kAsymmetric}}) {
    const std::vector<double> channel = row_errors(w, fit(w, grid, Granularity::kChannel));
    for (size_t c = 1; c < 4; ++c) EXPECT_EQ(channel[c], channel[0] * std::ldexp(1.0, 8 * c));
    // Per tensor the smallest channel is lost whole.
    const std::vector<double> tensor = row_errors(w, fit(w, grid, Granularity::kTensor));
    double power = 0;
    for (size_t i = 0; i < 256; ++i) power += std::pow(w.span<float>()[i], 2);
    EXPECT_NEAR(tensor[0] / power, 1, 0.01);
    EXPECT_GT(tensor[0], 50 * channel[0]);
  }
}

TEST(FitWeights, FinerUnitsNeverHaveMoreError) {
  const Tensor w = matrix(16, 100);
  for (const GridSpec& grid : {GridSpec{2, RangeKind::kFull}, GridSpec{4, RangeKind::kFull}}) {
    const double tensor = error(w, fit(w, grid, Granularity::kTensor));
    const double group = error(w, fit(w, grid, Granularity::kGroup, 5));  // 5, 5, 5, 1 rows
    const double channel = error(w, fit(w, grid, Granularity::kChannel));
    const double block = error(w, fit(w, grid, Granularity::kBlock, 32));  // 32, 32, 32, 4
    EXPECT_LE(group, tensor);
    EXPECT_LE(channel, group);
    EXPECT_LE(block, channel);
  }
}

TEST(FitWeights, BlocksOfAllOfKArePerChannelAndBlocksOfOneAreExact) {
  const Tensor w = matrix(8, 33);
  const GridSpec grid{4, RangeKind::kRestricted};
  for (const RangeMethod* method : range_methods()) {
    EXPECT_EQ(fit(w, grid, Granularity::kBlock, 33, method->name).scales,
              fit(w, grid, Granularity::kChannel, 0, method->name).scales);
  }
  EXPECT_NEAR(error(w, fit(w, grid, Granularity::kBlock, 1, "minmax")), 0, 1e-9);
  EXPECT_EQ(fit(w, grid, Granularity::kGroup, 99).scales,
            fit(w, grid, Granularity::kTensor).scales);
}

TEST(FitWeights, TakesAnyAxisAndDeadChannels) {
  Tensor w = matrix(6, 4);
  for (size_t i = 0; i < 6; ++i) w.span<float>()[4 * i + 2] = 0;  // column 2
  const QuantParams p =
      fit(w, {8, RangeKind::kRestricted}, Granularity::kChannel, 0, "minmax", 1, 0);
  ASSERT_EQ(p.scales.size(), 4u);
  EXPECT_EQ(p.scales[2], 1.0f);
  EXPECT_TRUE(p.zero_points.empty());
  for (size_t c : {0u, 1u, 3u}) {
    float m = 0;
    for (size_t r = 0; r < 6; ++r) m = std::max(m, std::abs(w.span<float>()[4 * r + c]));
    EXPECT_EQ(p.scales[c], static_cast<float>(m / 127.0));
  }
  EXPECT_EQ(fit(w, {8, RangeKind::kAsymmetric}, Granularity::kBlock, 4, "minmax", 1, 0)
                .zero_points.size(),
            8u);
}

TEST(FitWeights, LargeTensorsAreStreamed) {
  const Tensor w = matrix(1100, 1000);  // above the limit of exact evaluation
  const GridSpec grid{4, RangeKind::kFull};
  const QuantParams p = fit(w, grid, Granularity::kTensor);
  EXPECT_NEAR(p.scales[0], .338608, 0.01);
}

TEST(FitWeights, RefusesBrokenWeightsAndAxes) {
  Tensor w = matrix(2, 2);
  const auto message = [&](int axis) {
    try {
      fit(w, {8, RangeKind::kRestricted}, Granularity::kChannel, 0, "mse", axis);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind, ErrorKind::kModel);
      return e.message;
    }
    return std::string("no error");
  };
  EXPECT_EQ(message(2), "scale axis 2 does not exist in shape 2x2");
  w.span<float>()[1] = std::nanf("");
  EXPECT_EQ(message(0), "weights hold 1 NaN and 0 infinite elements, expected finite numbers");
  w = Tensor(DType::kI8, {2, 2});
  EXPECT_EQ(message(0), "weights of type i8, expected f32");
}

}  // namespace
}  // namespace nibble::calibrate
