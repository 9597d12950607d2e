#include "deploy/kernels/pool/pool.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "deploy/numeric/rounding.h"

namespace nibble::kernels {
namespace {

/// Codes over their whole range, ends and ties included, against divide_half_even.
template <class T>
void codes_follow_the_definition(const std::vector<T>& seed, int64_t channels, int taps,
                                 int64_t extra, int64_t divisor) {
  std::vector<T> x(static_cast<size_t>(channels * taps));
  for (size_t i = 0; i < x.size(); ++i) x[i] = seed[i % seed.size()];
  const Box box = {{1, 1, taps}, {0, 0, channels}};
  for (Isa isa : runnable_isas()) {
    std::vector<T> y(static_cast<size_t>(channels + 1), T{77}), best(y);
    pool_kernels(isa).of<T>().average(x.data(), box, channels, extra, divisor, y.data());
    pool_kernels(isa).of<T>().maximum(x.data(), box, channels, best.data());
    for (int64_t c = 0; c < channels; ++c) {
      int64_t sum = extra;
      T most = std::numeric_limits<T>::min();
      for (int t = 0; t < taps; ++t) {
        const T v = x[static_cast<size_t>(t * channels + c)];
        sum += v;
        most = std::max(most, v);
      }
      RC_ASSERT(y[static_cast<size_t>(c)] == numeric::divide_half_even(sum, divisor));
      RC_ASSERT(best[static_cast<size_t>(c)] == most);
    }
    RC_ASSERT(y.back() == 77);
    RC_ASSERT(best.back() == 77);
  }
}

template <class T>
void codes_property() {
  const int taps = *rc::gen::inRange(1, 12);
  const auto seed = *rc::gen::nonEmpty(rc::gen::container<std::vector<T>>(rc::gen::element<T>(
      std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), 0, 1, 2, 3, 100)));
  const int padded = *rc::gen::inRange(0, 4);
  codes_follow_the_definition<T>(seed, *rc::gen::inRange(1, 150), taps, padded * 3, taps + padded);
}
RC_GTEST_PROP(PoolKernels, SignedBytes, ()) {
  codes_property<int8_t>();
}
RC_GTEST_PROP(PoolKernels, UnsignedBytes, ()) {
  codes_property<uint8_t>();
}
RC_GTEST_PROP(PoolKernels, Words, ()) {
  codes_property<int16_t>();
}

TEST(PoolKernels, RealsAddTapsInOrderOnEveryIsa) {
  constexpr int64_t kChannels = 37;
  const Box box = {{2, 2, 3}, {6 * kChannels, 3 * kChannels, kChannels}};
  std::vector<float> x(12 * kChannels);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = std::sin(static_cast<float>(i)) * (i % 5 ? 1.0f : 1e6f);
  for (Isa isa : runnable_isas()) {
    std::vector<float> y(kChannels);
    pool_kernels(isa).f32.average(x.data(), box, kChannels, 0, 12, y.data());
    for (size_t c = 0; c < kChannels; ++c) {
      float sum = 0;
      for (size_t t = 0; t < 12; ++t) sum += x[t * kChannels + c];
      EXPECT_EQ(y[c], sum / 12.0f);
    }
  }
}

TEST(PoolKernels, NanWinsTheMaximum) {
  const float nan = std::nanf("");
  const float x[] = {1, nan, 3, 2, 0, nan};
  float y[2];
  portable::kPoolTable.f32.maximum(x, {{1, 1, 3}, {0, 0, 2}}, 2, y);
  EXPECT_EQ(y[0], 3.0f);
  EXPECT_TRUE(std::isnan(y[1]));
}

}  // namespace
}  // namespace nibble::kernels
