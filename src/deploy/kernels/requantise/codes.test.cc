#include "deploy/kernels/requantise/codes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "deploy/numeric/requantise.h"

namespace nibble::kernels {
namespace {

constexpr int64_t kLengths[] = {0, 1, 7, 8, 15, 16, 17, 33, 257};

std::vector<const CodeKernels*> vector_tables() {
  std::vector<const CodeKernels*> tables;
  for (const auto& [isa, table] : code_variants().subspan(1))
    if (cpu_runs(isa)) tables.push_back(table);
  return tables;
}

template <class T>
constexpr int kIndex = std::is_same_v<T, int8_t>    ? kWideI8
                       : std::is_same_v<T, uint8_t> ? kWideU8
                       : std::is_same_v<T, int16_t> ? kWideI16
                                                    : kWideU16;
template <class T>
constexpr int kCodes = std::is_same_v<T, int8_t> ? kI8Codes : kI16Codes;

template <class T>
std::vector<T> random_codes(int64_t n, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<T> codes(static_cast<size_t>(n));
  for (T& q : codes) q = static_cast<T>(engine());
  if (n > 2) codes[0] = std::numeric_limits<T>::min(), codes[1] = std::numeric_limits<T>::max();
  return codes;
}

/// Ties at every scale, signed zeros, denormals, infinities, NaN, huge values; then random ones.
std::vector<float> reals(float scale) {
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> x = {0.0f, -0.0f, inf, -inf, NAN, 0x1p-149f, -0x1p-149f, 3e38f, -3e38f};
  for (int i = -300; i < 300; ++i) {
    x.push_back((static_cast<float>(i) + 0.5f) * scale);
    x.push_back(std::nextafter(x.back(), inf));
    x.push_back(std::nextafter(x[x.size() - 2], -inf));
  }
  std::mt19937 engine(1);
  std::normal_distribution<float> normal(0, 200 * scale);
  for (int i = 0; i < 1000; ++i) x.push_back(normal(engine));
  return x;
}

template <class Y>
void check_quantize() {
  using Limits = std::numeric_limits<Y>;
  for (float scale : {1.0f, 0.1f, 3.7e-5f, 1e30f, 0x1p-126f})
    for (CodeRange r :
         {CodeRange{0, Limits::min(), Limits::max()},
          CodeRange{Limits::max(), Limits::min(), Limits::max()},
          CodeRange{Limits::min(), Limits::min(), Limits::max()}, CodeRange{3, 1, 14}}) {
      const auto x = reals(scale);
      const auto n = static_cast<int64_t>(x.size());
      std::vector<Y> expected(x.size());
      portable::kCodeKernels.quantize[kIndex<Y>](x.data(), expected.data(), n, scale, r);
      for (size_t i = 0; i < x.size(); ++i) {
        // The formula once more: the quotient in binary32, then exact arithmetic.
        const float ratio = std::isnan(x[i] / scale) ? 0.0f : x[i] / scale;
        const double q = std::nearbyint(static_cast<double>(ratio)) + r.zero;
        ASSERT_EQ(expected[i], std::clamp<double>(q, r.lo, r.hi)) << x[i] << " / " << scale;
      }
      for (const CodeKernels* table : vector_tables())
        for (int64_t length : kLengths) {
          std::vector<Y> y(static_cast<size_t>(length) + 1, Y{77});
          table->quantize[kIndex<Y>](x.data(), y.data(), length, scale, r);
          ASSERT_TRUE(std::equal(y.begin(), y.end() - 1, expected.begin())) << table->name;
          ASSERT_EQ(y.back(), Y{77}) << "wrote past the end";
        }
      for (const CodeKernels* table : vector_tables()) {
        std::vector<Y> y(x.size());
        table->quantize[kIndex<Y>](x.data(), y.data(), n, scale, r);
        ASSERT_EQ(y, expected) << table->name;
      }
    }
}

TEST(Codes, QuantizeIsTheFormulaOnEveryIsa) {
  check_quantize<int8_t>();
  check_quantize<uint8_t>();
  check_quantize<int16_t>();
  check_quantize<uint16_t>();
}

template <class Q>
void check_dequantize() {
  const auto q = random_codes<Q>(1000, 2);
  for (int32_t zero : {0, int32_t{std::numeric_limits<Q>::min()}, 127})
    for (float scale : {0.1f, 1e-40f, 3e36f}) {
      std::vector<float> expected(q.size()), y(q.size());
      portable::kCodeKernels.dequantize[kIndex<Q>](q.data(), expected.data(), 1000, scale, zero);
      for (size_t i = 0; i < q.size(); ++i)
        ASSERT_EQ(expected[i], static_cast<float>(static_cast<double>(q[i] - zero) *
                                                  static_cast<double>(scale)));
      for (const CodeKernels* table : vector_tables())
        for (int64_t n : {0, 1, 15, 1000}) {
          table->dequantize[kIndex<Q>](q.data(), y.data(), n, scale, zero);
          ASSERT_EQ(std::memcmp(y.data(), expected.data(), sizeof(float) * static_cast<size_t>(n)),
                    0)
              << table->name;
        }
    }
}

TEST(Codes, DequantizeIsTheFormulaOnEveryIsa) {
  check_dequantize<int8_t>();
  check_dequantize<uint8_t>();
  check_dequantize<int16_t>();
  check_dequantize<uint16_t>();
}

struct Setting {
  CodeFactors factors;
  CodeRange range;
};
/// Multipliers that make ties (powers of two), saturate, vanish, and ordinary ones.
std::vector<Setting> settings(bool wide_operands) {
  std::vector<Setting> all;
  for (float m : {0.5f, 0.0f, 1.0f, 0.0123f, 1e6f, 0x1p-16f})
    for (float m_b : {0.5f, 0.37f})
      for (CodeRange r : {CodeRange{0, -128, 127}, CodeRange{-128, -128, 127}, CodeRange{5, 0, 15},
                          CodeRange{127, -3, 127}}) {
        Setting s;
        s.factors = {wide_operands ? 0 : -7, wide_operands ? 1 : 100, m, m_b, 0, 0, 31};
        const numeric::FixedSum fixed = numeric::to_fixed_sum(m, m_b);
        s.factors.fixed_a = fixed.a, s.factors.fixed_b = fixed.b, s.factors.shift = fixed.shift;
        s.range = r;
        all.push_back(s);
      }
  return all;
}

template <class Q, class Y>
void check_requantize() {
  const auto q = random_codes<Q>(600, 4);
  for (const Setting& s : settings(sizeof(Q) == 2)) {
    const CodeFactors& f = s.factors;
    std::vector<Y> expected(q.size()), y(q.size());
    portable::kCodeKernels.requantize[kCodes<Q>][kCodes<Y>](q.data(), expected.data(), 600, f,
                                                            s.range);
    for (size_t i = 0; i < q.size(); ++i) {
      const float v = static_cast<float>(q[i] - f.zero_a) * f.m_a;
      const double code = std::nearbyint(static_cast<double>(v)) + s.range.zero;
      ASSERT_EQ(expected[i], std::clamp<double>(code, s.range.lo, s.range.hi));
    }
    for (const CodeKernels* table : vector_tables())
      for (int64_t n : {0, 1, 17, 600}) {
        table->requantize[kCodes<Q>][kCodes<Y>](q.data(), y.data(), n, f, s.range);
        ASSERT_TRUE(std::equal(y.begin(), y.begin() + n, expected.begin())) << table->name;
      }
    fixed_code_kernels().requantize[kCodes<Q>][kCodes<Y>](q.data(), y.data(), 600, f, s.range);
    for (size_t i = 0; i < q.size(); ++i) {
      const numeric::FixedMultiplier m{f.fixed_a, 31 - f.shift};
      ASSERT_EQ(y[i],
                std::clamp<int64_t>(numeric::requantise_fixed(q[i] - f.zero_a, m) + s.range.zero,
                                    s.range.lo, s.range.hi));
    }
  }
}

TEST(Codes, RequantizeIsTheFormulaOnEveryIsa) {
  check_requantize<int8_t, int8_t>();
  check_requantize<int8_t, int16_t>();
  check_requantize<int16_t, int8_t>();
  check_requantize<int16_t, int16_t>();
}

template <class A, class B, class Y>
void check_binary(bool product) {
  constexpr int64_t kMax = 500;
  const auto a = random_codes<A>(kMax, 5);
  const auto b = random_codes<B>(kMax, 6);
  const auto pick = [&](const CodeKernels& k) {
    return (product ? k.multiply : k.add)[kCodes<A>][kCodes<B>][kCodes<Y>];
  };
  for (const Setting& s : settings(sizeof(A) == 2 || sizeof(B) == 2))
    for (int64_t a_step : {0, 1})
      for (int64_t b_step : {0, 1}) {
        const CodeFactors& f = s.factors;
        std::vector<Y> expected(kMax), y(kMax);
        const auto run = [&](const CodeKernels& k, int64_t n, std::vector<Y>& out) {
          pick(k)(a.data(), a_step, b.data(), b_step, out.data(), n, f, s.range);
        };
        run(portable::kCodeKernels, kMax, expected);
        const auto at = [&](int64_t i, bool fixed) {
          const int64_t u = a[static_cast<size_t>(i * a_step)] - f.zero_a;
          const int64_t v = b[static_cast<size_t>(i * b_step)] - f.zero_b;
          double code;
          if (fixed) {
            const int64_t sum = product ? u * v * f.fixed_a : u * f.fixed_a + v * f.fixed_b;
            code = std::floor(std::ldexp(static_cast<long double>(sum), -f.shift) + 0.5L);
          } else if (product) {
            code = std::nearbyint(static_cast<double>(static_cast<float>(u * v) * f.m_a));
          } else {
            const float left = static_cast<float>(u) * f.m_a;
            const float right = static_cast<float>(v) * f.m_b;
            const float both = left + right;
            code = std::nearbyint(static_cast<double>(both));
          }
          return std::clamp<double>(code + s.range.zero, s.range.lo, s.range.hi);
        };
        for (int64_t i = 0; i < kMax; ++i)
          ASSERT_EQ(expected[static_cast<size_t>(i)], at(i, false)) << i;
        for (const CodeKernels* table : vector_tables())
          for (int64_t n : {int64_t{0}, int64_t{1}, int64_t{31}, kMax}) {
            run(*table, n, y);
            ASSERT_TRUE(std::equal(y.begin(), y.begin() + n, expected.begin())) << table->name;
          }
        run(fixed_code_kernels(), kMax, y);
        for (int64_t i = 0; i < kMax; ++i) ASSERT_EQ(y[static_cast<size_t>(i)], at(i, true)) << i;
      }
}

TEST(Codes, AddIsTheFormulaOnEveryIsa) {
  check_binary<int8_t, int8_t, int8_t>(false);
  check_binary<int8_t, int16_t, int8_t>(false);
  check_binary<int16_t, int8_t, int16_t>(false);
  check_binary<int16_t, int16_t, int16_t>(false);
}

TEST(Codes, MultiplyIsTheFormulaOnEveryIsa) {
  check_binary<int8_t, int8_t, int8_t>(true);
  check_binary<int8_t, int16_t, int16_t>(true);
  check_binary<int16_t, int8_t, int8_t>(true);
  check_binary<int16_t, int16_t, int16_t>(true);
}

TEST(Codes, InPlace) {
  for (const CodeKernels* table : vector_tables()) {
    auto a = random_codes<int8_t>(100, 8), expected = a;
    const auto b = random_codes<int8_t>(100, 9);
    const CodeFactors f{3, -4, 0.7f, 0.3f, 0, 0, 31};
    portable::kCodeKernels.add[0][0][0](a.data(), 1, b.data(), 1, expected.data(), 100, f,
                                        {0, -128, 127});
    table->add[0][0][0](a.data(), 1, b.data(), 1, a.data(), 100, f, {0, -128, 127});
    EXPECT_EQ(a, expected);
  }
}

TEST(Codes, ColumnsHaveTheirOwnScales) {
  const std::vector<float> x = {1.5f, -2.5f, NAN}, scale = {1.0f, 0.5f, 2.0f};
  const std::vector<int16_t> zero = {-1, 1000, 7};
  std::vector<int16_t> q(3);
  quantize_columns(x.data(), DType::kI16, q.data(), 3, scale.data(), zero.data(), -32768, 32767);
  EXPECT_EQ(q, (std::vector<int16_t>{1, 995, 7}));
  std::vector<float> back(3);
  dequantize_columns(DType::kI16, q.data(), back.data(), 3, scale.data(), 1, DType::kI16,
                     zero.data(), 0);
  EXPECT_EQ(back, (std::vector<float>{2.0f, -2.5f, 0.0f}));
  const std::vector<int32_t> wide = {INT32_MIN, INT32_MAX, 16777217};
  dequantize_columns(DType::kI32, wide.data(), back.data(), 3, scale.data(), 1, DType::kI32,
                     nullptr, 0);
  EXPECT_EQ(back, (std::vector<float>{-0x1p31f, 0x1p30f, 0x1p25f}));
}

}  // namespace
}  // namespace nibble::kernels
