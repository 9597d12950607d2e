#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "deploy/kernels/depthwise/runs.h"
#include "deploy/kernels/simd/output_s8_reference.h"

namespace nibble::kernels {
namespace {

struct Case {
  std::array<int64_t, 3> in, kernel, stride, dilation, pad;
};

Windows windows_of(const Case& shape, int64_t batch, int64_t channels) {
  Windows w;
  w.batch = batch;
  w.groups = channels;
  w.in = shape.in;
  w.kernel = shape.kernel;
  w.stride = shape.stride;
  w.dilation = shape.dilation;
  w.pad = shape.pad;
  for (size_t i = 0; i < 3; ++i)
    w.out[i] = (w.in[i] + 2 * w.pad[i] - (w.kernel[i] - 1) * w.dilation[i] - 1) / w.stride[i] + 1;
  return w;
}

/// Lines, columns, single pixels, windows larger than the image, strides, dilation, three axes.
const Case kCases[] = {
    {{1, 9, 11}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}},
    {{1, 20, 19}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}},
    {{1, 11, 10}, {1, 3, 3}, {1, 2, 2}, {1, 1, 1}, {0, 1, 1}},
    {{1, 8, 9}, {1, 5, 5}, {1, 1, 1}, {1, 1, 1}, {0, 2, 2}},
    {{1, 9, 9}, {1, 3, 3}, {1, 1, 1}, {1, 2, 2}, {0, 2, 2}},
    {{1, 1, 1}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}},
    {{1, 2, 3}, {1, 5, 7}, {1, 1, 1}, {1, 1, 1}, {0, 2, 3}},
    {{1, 1, 17}, {1, 1, 3}, {1, 1, 1}, {1, 1, 1}, {0, 0, 1}},
    {{1, 6, 1}, {1, 4, 1}, {1, 1, 1}, {1, 1, 1}, {0, 1, 0}},
    {{1, 5, 6}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
    {{1, 25, 5}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}},
    {{1, 14, 4}, {1, 4, 3}, {1, 1, 1}, {1, 1, 1}, {0, 2, 0}},
    {{3, 4, 5}, {2, 3, 2}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}},
};
const int64_t kChannels[] = {1, 3, 4, 8, 13, 16, 24, 32, 40, 67};

/// Input of tap t of every output in turn, or -1 outside the image; no channels yet.
std::vector<int64_t> naive_taps(const Windows& w) {
  std::vector<int64_t> taps;
  const auto each = [](const std::array<int64_t, 3>& size, auto f) {
    for (int64_t i = 0; i < size[0]; ++i)
      for (int64_t j = 0; j < size[1]; ++j)
        for (int64_t k = 0; k < size[2]; ++k) f(std::array{i, j, k});
  };
  for (int64_t b = 0; b < w.batch; ++b)
    each(w.out, [&](auto y) {
      each(w.kernel, [&](auto k) {
        int64_t at = b;
        bool inside = true;
        for (size_t i = 0; i < 3; ++i) {
          const int64_t x = y[i] * w.stride[i] - w.pad[i] + k[i] * w.dilation[i];
          inside = inside && x >= 0 && x < w.in[i];
          at = at * w.in[i] + x;
        }
        taps.push_back(inside ? at : -1);
      });
    });
  return taps;
}

int64_t pixels(const Windows& w, const std::array<int64_t, 3>& size) {
  return w.batch * size[0] * size[1] * size[2];
}

void expect_f32(const Windows& w, ThreadPool& pool) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const int64_t c = w.groups, taps = w.taps(), padded = (c + 15) / 16 * 16;
  const int64_t fold = depthwise_fold(c, kDepthwiseBlockF32);
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> image(static_cast<size_t>(pixels(w, w.in) * c));
  for (float& x : image) x = normal(random);
  image[image.size() / 2] = std::nanf("");
  image[0] = -kInf;
  std::vector<float> weights(static_cast<size_t>(taps * padded)), bias(static_cast<size_t>(padded));
  for (int64_t i = 0; i < c; ++i) {
    bias[static_cast<size_t>(i)] = normal(random);
    for (int64_t t = 0; t < taps; ++t)
      weights[static_cast<size_t>(t * padded + i)] = normal(random);
  }
  for (int64_t i = c; i < fold * c; ++i) {
    bias[static_cast<size_t>(i)] = bias[static_cast<size_t>(i - c)];
    for (int64_t t = 0; t < taps; ++t)
      weights[static_cast<size_t>(t * padded + i)] =
          weights[static_cast<size_t>(t * padded + i - c)];
  }
  const std::vector<float> padding(static_cast<size_t>(fold * c));
  std::vector<int32_t> order(static_cast<size_t>(taps));
  std::iota(order.begin(), order.end(), 0);

  std::vector<float> expected;
  const std::vector<int64_t> naive = naive_taps(w);
  for (size_t i = 0; i < naive.size(); i += static_cast<size_t>(taps))
    for (int64_t j = 0; j < c; ++j) {
      float acc = bias[static_cast<size_t>(j)];
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t at = naive[i + static_cast<size_t>(t)];
        acc = std::fma(at < 0 ? 0.0f : image[static_cast<size_t>(at * c + j)],
                       weights[static_cast<size_t>(t * padded + j)], acc);
      }
      const float raised = -1.0f > acc ? -1.0f : acc;
      expected.push_back(2.0f < raised ? 2.0f : raised);
    }
  const DepthwiseF32 p{.weights = weights.data(),
                       .bias = bias.data(),
                       .channels = c,
                       .taps = taps,
                       .lo = -1.0f,
                       .hi = 2.0f};
  for (const auto& variant : depthwise_f32_variants()) {
    if (!cpu_runs(variant.isa)) continue;
    std::vector<float> out(expected.size() + 1, 77.0f);
    depthwise<DepthwiseF32, float>(variant.core, p, fold, w, order, image.data(), padding.data(),
                                   out.data(), pool);
    ASSERT_EQ(std::memcmp(out.data(), expected.data(), expected.size() * sizeof(float)), 0)
        << variant.name << " of " << c << " channels";
    ASSERT_EQ(out.back(), 77.0f);
  }
}

void expect_s8(const Windows& w, bool fixed, ThreadPool& pool) {
  const int64_t c = w.groups, taps = w.taps(), blocks = (c + 31) / 32;
  const int64_t fold = depthwise_fold(c, kDepthwiseBlockS8);
  std::mt19937 random(7);
  const auto uniform = [&](int lo, int hi) {
    return std::uniform_int_distribution<int>(lo, hi)(random);
  };
  std::vector<int8_t> image(static_cast<size_t>(pixels(w, w.in) * c));
  for (int8_t& x : image) x = static_cast<int8_t>(uniform(-128, 127));
  std::vector<int32_t> order(static_cast<size_t>((taps + 1) / 2 * 2));
  const int64_t pairs = depthwise_s8_order(w.kernel[0] * w.kernel[1], w.kernel[2],
                                           depthwise_axis(w, fold), order.data());
  ASSERT_EQ(pairs, (taps + 1) / 2);
  std::vector<int16_t> weights(static_cast<size_t>(blocks * pairs * kDepthwisePairS8));
  std::vector<int> plain(static_cast<size_t>(taps * c));
  const auto n = static_cast<size_t>(blocks * 32);
  std::vector<int32_t> bias(n), zeros(n), m0(n), shift(n, 31);
  std::vector<float> multiplier(n);
  for (int64_t i = 0; i < fold * c; ++i) {
    const auto at = static_cast<size_t>(i), from = static_cast<size_t>(i % c);
    bias[at] = i < c ? uniform(-20000, 20000) : bias[from];
    multiplier[at] = i < c ? static_cast<float>(uniform(0, 100)) * 1e-5f : multiplier[from];
    m0[at] = i < c ? uniform(0, 2000000) : m0[from];
    std::vector<bool> seen(static_cast<size_t>(taps));
    for (size_t t = 0; t < order.size(); ++t) {
      const auto tap = static_cast<size_t>(order[t]);
      if (seen[tap]) continue;
      seen[tap] = true;
      int& weight = plain[tap * static_cast<size_t>(c) + from];
      if (i < c) weight = uniform(0, 9) == 0 ? -32767 : uniform(-383, 383);
      weights[static_cast<size_t>(depthwise_s8_offset(pairs, i, static_cast<int64_t>(t)))] =
          static_cast<int16_t>(weight);
    }
    for (const bool tap : seen) ASSERT_TRUE(tap);
  }
  DepthwiseS8 p{.weights = weights.data(), .channels = c, .pairs = pairs, .output = {}};
  p.output.bias = bias.data();
  p.output.w_zero = zeros.data();
  if (fixed)
    p.output.m0 = m0.data(), p.output.shift = shift.data();
  else
    p.output.multiplier = multiplier.data();
  p.output.y_zero = -5;
  p.output.y_min = -100;
  const std::vector<int8_t> padding(static_cast<size_t>(fold * c), int8_t{-11});

  std::vector<int8_t> expected;
  const std::vector<int64_t> naive = naive_taps(w);
  for (size_t i = 0; i < naive.size(); i += static_cast<size_t>(taps))
    for (int64_t j = 0; j < c; ++j) {
      int32_t sum = 0;
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t at = naive[i + static_cast<size_t>(t)];
        sum += (at < 0 ? -11 : image[static_cast<size_t>(at * c + j)]) *
               plain[static_cast<size_t>(t * c + j)];
      }
      expected.push_back(portable::output_s8(p.output, j, sum, 0));
    }
  for (const auto& variant : depthwise_s8_variants()) {
    if (!cpu_runs(variant.isa)) continue;
    std::vector<int8_t> out(expected.size() + 1, int8_t{77});
    depthwise<DepthwiseS8, int8_t>(variant.core, p, fold, w, order, image.data(), padding.data(),
                                   out.data(), pool);
    ASSERT_EQ(std::memcmp(out.data(), expected.data(), expected.size()), 0)
        << variant.name << " of " << c << " channels";
    ASSERT_EQ(out.back(), 77);
  }
}

TEST(Depthwise, EveryVariantIsTheSumOverTheWindow) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    for (const Case& shape : kCases)
      for (const int64_t channels : kChannels) {
        SCOPED_TRACE("case " + std::to_string(&shape - kCases));
        const Windows w = windows_of(shape, threads == 1 ? 1 : 2, channels);
        expect_f32(w, pool);
        expect_s8(w, false, pool);
        expect_s8(w, true, pool);
        if (HasFatalFailure()) return;
      }
  }
}

}  // namespace
}  // namespace nibble::kernels
