#include "deploy/kernels/winograd/winograd_s8.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/kernels/requantise/code_map_testing.h"
#include "deploy/kernels/simd/output_s8_reference.h"

namespace nibble::kernels {
namespace {

Windows image(int64_t batch, int64_t height, int64_t width, int64_t channels, int64_t pad) {
  Windows w;
  w.batch = batch;
  w.channels = channels;
  w.in = {1, height, width};
  w.kernel = {1, 3, 3};
  w.pad = {0, pad, pad};
  w.out = {1, height + 2 * pad - 2, width + 2 * pad - 2};
  return w;
}

enum class Codes { kRandom, kExtreme };
enum class Stage { kFloat, kFixed, kBinary, kResidual };

void expect_definition(const Windows& w, int64_t n, Codes codes, Stage stage, int threads) {
  SCOPED_TRACE(std::to_string(w.in[1]) + "x" + std::to_string(w.in[2]) + "x" +
               std::to_string(w.channels) + " to " + std::to_string(n));
  ASSERT_TRUE(winograd_fits(w));
  std::mt19937 rng(5);
  const auto draw = [&](int lo, int hi) {
    if (codes == Codes::kExtreme) return rng() % 4 ? hi : lo;
    return lo + static_cast<int>(rng() % static_cast<unsigned>(hi - lo + 1));
  };
  const int64_t c = w.channels, pixels = w.batch * w.out[1] * w.out[2];
  std::vector<int8_t> x(static_cast<size_t>(w.batch * w.in[1] * w.in[2] * c));
  for (int8_t& v : x) v = static_cast<int8_t>(draw(-128, 127));
  std::vector<int16_t> weights(static_cast<size_t>(n * 9 * c));
  for (int16_t& v : weights)
    v = static_cast<int16_t>(draw(-kWinogradMostWeight, kWinogradMostWeight));
  const auto padded = static_cast<size_t>((n + 31) / 32 * 32);
  std::vector<int32_t> bias(padded), zeros(padded), m0(padded, 3000000), shift(padded, 40);
  for (int32_t& b : bias) b = draw(-9000, 9000);
  std::vector<float> multiplier(padded, 1e-4f);
  std::vector<int8_t> residual(static_cast<size_t>(pixels * n));
  for (int8_t& v : residual) v = static_cast<int8_t>(draw(-128, 127));
  const int8_t padding = -7;

  Buffer u(static_cast<size_t>(winograd_s8_weights(n, c)) * 2);
  pack_winograd_s8(weights.data(), n, c, reinterpret_cast<int16_t*>(u.data()));
  WinogradS8 p;
  p.u = reinterpret_cast<const int16_t*>(u.data());
  p.channels = c, p.n = n;
  p.output.bias = bias.data(), p.output.w_zero = zeros.data();
  if (stage == Stage::kFixed)
    p.output.m0 = m0.data(), p.output.shift = shift.data();
  else
    p.output.multiplier = multiplier.data();
  p.output.binary = stage == Stage::kBinary;
  if (!p.output.binary) p.output.y_zero = 5, p.output.y_min = -100, p.output.y_max = 90;
  p.output.residual = {.m_y = 0.5f, .m_r = 0.75f, .r_zero = 3, .zero = -4, .lo = -90, .hi = 80};

  std::vector<int8_t> expected;
  for (int64_t i = 0; i < pixels; ++i) {
    const int64_t y2 = i % w.out[2], y1 = i / w.out[2] % w.out[1], b = i / w.out[2] / w.out[1];
    for (int64_t o = 0; o < n; ++o) {
      int64_t sum = 0;
      for (int64_t k = 0; k < 9 * c; ++k) {
        const int64_t x1 = y1 - w.pad[1] + k / c / 3, x2 = y2 - w.pad[2] + k / c % 3;
        const bool inside = x1 >= 0 && x1 < w.in[1] && x2 >= 0 && x2 < w.in[2];
        const int64_t at = ((b * w.in[1] + x1) * w.in[2] + x2) * c + k % c;
        sum += int64_t{weights[static_cast<size_t>(o * 9 * c + k)]} *
               (inside ? x[static_cast<size_t>(at)] : padding);
      }
      const int8_t y = portable::output_s8(p.output, o, static_cast<int32_t>(sum), 0);
      expected.push_back(stage == Stage::kResidual
                             ? portable::add_residual_s8(p.output, y, residual[expected.size()])
                             : y);
    }
  }
  ThreadPool pool(threads);
  for (const WinogradS8Variant& variant : winograd_s8_variants()) {
    if (!cpu_runs(variant.isa)) continue;
    Buffer workspace(winograd_s8_workspace(p, w, threads));
    std::vector<int8_t> out(expected.size() + 1, int8_t{77});
    testing::CheckedCopy copy(variant.isa, expected.size());
    winograd_s8(variant, p, w, x.data(), padding,
                stage == Stage::kResidual ? residual.data() : nullptr, out.data(), workspace.data(),
                pool, copy.of(out.data()));
    EXPECT_EQ(out.back(), 77);
    out.pop_back();
    copy.expect(out, n, n);
    EXPECT_EQ(out, expected) << variant.name;
  }
}

TEST(Winograd, SizesTailsAndBorders) {
  for (int64_t pad : {0, 1, 3})
    for (const auto& [height, width] : {std::pair{3, 3}, {4, 4}, {5, 8}, {7, 3}, {12, 13}})
      for (int64_t n : {1, 16, 21, 40})
        expect_definition(image(2, height, width, 16, pad), n, Codes::kRandom, Stage::kFloat, 1);
  expect_definition(image(1, 1, 1, 32, 1), 3, Codes::kRandom, Stage::kFloat, 1);
  expect_definition(image(1, 33, 35, 48, 1), 20, Codes::kRandom, Stage::kFloat, 2);
  expect_definition(image(1, 6, 6, 512, 1), 17, Codes::kRandom, Stage::kFloat, 2);
}

TEST(Winograd, ExtremeCodesAreExact) {
  for (int64_t channels : {16, 1216})  // the most that fit
    expect_definition(image(1, 4, 5, channels, 1), 17, Codes::kExtreme, Stage::kFloat, 1);
}

TEST(Winograd, EveryOutputStage) {
  for (Stage stage : {Stage::kFixed, Stage::kBinary, Stage::kResidual})
    for (int64_t n : {8, 19}) expect_definition(image(2, 5, 7, 16, 1), n, Codes::kRandom, stage, 2);
}

TEST(Winograd, FitsWhatItComputes) {
  const Windows good = image(1, 8, 8, 16, 1);
  EXPECT_TRUE(winograd_fits(good));
  const auto fits = [&](auto change) {
    Windows w = good;
    change(w);
    return winograd_fits(w);
  };
  EXPECT_FALSE(fits([](Windows& w) { w.channels = 20; }));
  EXPECT_FALSE(fits([](Windows& w) { w.channels = 1232; }));  // sums could overflow
  EXPECT_FALSE(fits([](Windows& w) { w.stride[1] = 2; }));
  EXPECT_FALSE(fits([](Windows& w) { w.dilation[2] = 2; }));
  EXPECT_FALSE(fits([](Windows& w) { w.kernel[2] = 1; }));
  EXPECT_FALSE(fits([](Windows& w) { w.groups = 2; }));
  EXPECT_FALSE(fits([](Windows& w) { w.kernel[0] = 2; }));
}

}  // namespace
}  // namespace nibble::kernels
