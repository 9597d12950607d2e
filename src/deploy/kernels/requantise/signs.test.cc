#include "deploy/kernels/requantise/signs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace nibble::kernels {
namespace {

TEST(Signs, OfReals) {
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  const float x[] = {-0.0f, 0.0f, -kTiny, kTiny, NAN, -NAN, -INFINITY, INFINITY, -1, 3};
  const int8_t expected[] = {1, 1, -1, 1, 1, 1, -1, 1, -1, 1};
  for (int64_t n = 0; n <= 10; ++n) {
    std::vector<int8_t> y(11, 77);
    signs_of_reals(x, y.data(), n);
    for (int64_t i = 0; i < 11; ++i) EXPECT_EQ(y[i], i < n ? expected[i] : 77);
  }
}

template <class Q>
void expect_signs(DType dtype, const std::vector<Q>& q, const CodeFactors& f, bool fixed) {
  std::vector<int8_t> y(q.size());
  signs_of_codes(dtype, q.data(), y.data(), static_cast<int64_t>(q.size()), f, {0, -1, 1}, fixed);
  for (size_t i = 0; i < q.size(); ++i) EXPECT_EQ(y[i], q[i] < f.zero_a ? -1 : 1) << q[i];
  signs_of_codes(dtype, q.data(), y.data(), static_cast<int64_t>(q.size()), f, {0, 1, 1}, fixed);
  for (int8_t code : y) EXPECT_EQ(code, 1);
}

TEST(Signs, OfEveryCode) {
  std::vector<int8_t> narrow;
  std::vector<int16_t> wide;
  for (int q = -128; q < 128; ++q) narrow.push_back(static_cast<int8_t>(q));
  for (int q = -32768; q < 32768; q += 5) wide.push_back(static_cast<int16_t>(q));
  for (bool fixed : {false, true})
    for (int32_t zero : {-128, -3, 0, 127}) {
      // A factor far below one rounds every code to 0: its sign stays.
      const CodeFactors f{.zero_a = zero, .m_a = 1e-6f, .fixed_a = 1 << 30, .shift = 51};
      expect_signs(DType::kI8, narrow, f, fixed);
      expect_signs(DType::kI16, wide, f, fixed);
    }
}

}  // namespace
}  // namespace nibble::kernels
