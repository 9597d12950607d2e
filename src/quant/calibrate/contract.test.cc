// Promises of every range method of methods.inc.

#include <gtest/gtest.h>

#include <limits>

#include "quant/calibrate/samples_for_test.h"
#include "quant/graph/error.h"

namespace nibble::calibrate {
namespace {

using numeric::RangeKind;

constexpr float kInf = std::numeric_limits<float>::infinity();
const float kNan = std::nanf("");

std::vector<GridSpec> grids() {
  std::vector<GridSpec> all;
  for (int kind = 1; kind <= 6; ++kind)
    for (int bits : {2, 4, 8}) all.push_back({bits, static_cast<RangeKind>(kind)});
  all.push_back({1, RangeKind::kUnsigned});
  all.push_back({1, RangeKind::kAsymmetric});
  all.push_back(kBinary);
  all.push_back(kTernary);
  return all;
}

/// Skewed, heavy-tailed data with both signs.
std::vector<float> skewed(size_t n, uint32_t seed = 1) {
  std::vector<float> x = gaussian(n, seed);
  for (float& v : x) v = v > 0 ? v * v : 0.3f * v;
  return x;
}

struct Contract : testing::TestWithParam<const RangeMethod*> {
  const RangeMethod& method = *GetParam();

  std::unique_ptr<Estimator> make() const { return method.make(complete(method, {})); }
  Affine streamed(std::span<const float> x, const GridSpec& grid) const {
    return stream(method.name, x, grid);
  }
  Affine fit(std::span<const float> x, const GridSpec& grid) const {
    return method.fit ? method.fit(x, grid, complete(method, {})) : stream(method.name, x, grid);
  }
};

TEST_P(Contract, DescribesItself) {
  EXPECT_FALSE(method.name.empty() || method.summary.empty() || method.source.empty());
  EXPECT_EQ(&range_method(method.name), &method);
  for (const Parameter& p : method.parameters) {
    EXPECT_FALSE(p.name.empty() || p.meaning.empty());
    EXPECT_LE(p.least, p.otherwise);
    EXPECT_LE(p.otherwise, p.most);
    for (double end : {p.least, p.most})
      EXPECT_NO_THROW(
          stream(method.name, gaussian(50), {4, RangeKind::kFull}, {{std::string(p.name), end}}));
  }
}

TEST_P(Contract, IsDeterministicAndInsideItsGrid) {
  const std::vector<float> x = skewed(5000);
  for (const GridSpec& grid : grids()) {
    const Affine a = stream(method.name, x, grid);
    EXPECT_EQ(a, stream(method.name, x, grid));
    EXPECT_GT(a.scale, 0);
    const numeric::CodeRange codes = grid.codes();
    EXPECT_TRUE(a.zero_point >= codes.qmin && a.zero_point <= codes.qmax);
    if (grid.range != RangeKind::kAsymmetric) {
      EXPECT_EQ(a.zero_point, 0);
    }
  }
}

TEST_P(Contract, ScalesWithPowersOfTwo) {
  const std::vector<float> x = skewed(5000);
  for (int power : {-40, 1, 30}) {
    std::vector<float> y = x;
    for (float& v : y) v = std::ldexp(v, power);
    for (const GridSpec& grid : grids()) {
      for (auto how : {&Contract::streamed, &Contract::fit}) {
        const Affine a = (this->*how)(x, grid), b = (this->*how)(y, grid);
        EXPECT_EQ(std::ldexp(a.scale, power), b.scale);
        EXPECT_EQ(a.zero_point, b.zero_point);
      }
    }
  }
}

TEST_P(Contract, MergedPartsEqualTheWhole) {
  const std::vector<float> x = skewed(8000);
  const std::span<const float> all(x);
  for (const GridSpec& grid : grids()) {
    const auto whole = make(), first = make(), second = make(), unused = make();
    for (size_t i = 0; i < 8000; i += 1000) {
      whole->observe(all.subspan(i, 1000));
      (i < 3000 ? first : second)->observe(all.subspan(i, 1000));
    }
    first->merge(*second);
    first->merge(*unused);
    unused->merge(*first);
    for (const auto& merged : {first.get(), unused.get()}) {
      EXPECT_NEAR(merged->finish(grid).scale / whole->finish(grid).scale, 1, 1e-6);
      EXPECT_EQ(merged->finish(grid).zero_point, whole->finish(grid).zero_point);
      EXPECT_EQ(merged->count, whole->count);
      EXPECT_EQ(merged->lowest, whole->lowest);
      EXPECT_EQ(merged->highest, whole->highest);
    }
  }
}

TEST_P(Contract, IsNeverWorseThanMinMaxWhereItPromises) {
  if (!method.never_worse_than_minmax) return;
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    std::vector<float> x = skewed(10 + 100 * seed, seed);
    if (seed % 3 == 0) x = magnitudes(x);
    if (seed % 4 == 0) x[0] = 50;
    if (seed % 5 == 0)
      for (float& v : x) v = std::round(v * 4) / 4;
    for (const GridSpec& grid : grids()) {
      if (grid.range == RangeKind::kUnsigned && seed % 3 != 0) continue;
      const double least = error_of(x, stream("minmax", x, grid), grid);
      EXPECT_LE(error_of(x, stream(method.name, x, grid), grid), least * (1 + 1e-6) + 1e-9);
      EXPECT_LE(error_of(x, fit(x, grid), grid), least * (1 + 1e-6) + 1e-9);
    }
  }
}

TEST_P(Contract, DataOfOneSignKeepsZeroAtItsEnd) {
  std::vector<float> x = magnitudes(gaussian(3000));
  EXPECT_EQ(stream(method.name, x, {8, RangeKind::kAsymmetric}).zero_point, 0);
  EXPECT_EQ(fit(x, {4, RangeKind::kAsymmetric}).zero_point, 0);
  for (float& v : x) v = -v;
  EXPECT_EQ(stream(method.name, x, {8, RangeKind::kAsymmetric}).zero_point, 255);
  EXPECT_EQ(fit(x, {4, RangeKind::kAsymmetric}).zero_point, 15);
}

TEST_P(Contract, TakesEmptyZeroAndSingleElementData) {
  for (const GridSpec& grid : grids()) {
    EXPECT_EQ(make()->finish(grid), Affine{});
    EXPECT_EQ(stream(method.name, std::vector<float>(), grid), Affine{});
    EXPECT_EQ(stream(method.name, std::vector<float>(3, 0.0f), grid), Affine{});
    EXPECT_EQ(fit(std::vector<float>(3, -0.0f), grid), Affine{});
    for (float one : {1e-30f, 0.7f, 1e30f, std::numeric_limits<float>::max()}) {
      const Affine a = stream(method.name, std::vector<float>{one}, grid);
      EXPECT_LE(error_of(std::vector<float>{one}, a, grid, 1), a.scale * 1.01) << one;
      EXPECT_NEAR(fit(std::vector<float>{one}, grid).scale / a.scale, 1, 1e-3) << one;
    }
    const float tiny = std::numeric_limits<float>::denorm_min();
    EXPECT_GE(stream(method.name, std::vector<float>{tiny, -tiny}, grid).scale,
              std::numeric_limits<float>::min());
  }
}

TEST_P(Contract, CountsNanAndInfinityAndIgnoresThem) {
  const std::vector<float> clean = {1, -2, 0.5f, 3};
  const std::vector<float> dirty = {kNan, 1, -2, kInf, -kInf, 0.5f, kNan, 3};
  for (const GridSpec& grid : grids()) {
    const auto a = make(), b = make();
    a->observe(clean);
    b->observe(std::vector<float>{kNan, -kInf});
    b->observe(dirty);
    EXPECT_EQ(a->finish(grid), b->finish(grid));
    EXPECT_EQ(b->lowest, -2);
    EXPECT_EQ(b->highest, 3);
    EXPECT_EQ(b->count, 10);
    EXPECT_EQ(b->nan_count, 3);
    EXPECT_EQ(b->infinite_count, 3);
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, Contract,
                         testing::ValuesIn(range_methods().begin(), range_methods().end()),
                         [](const auto& info) { return std::string(info.param->name); });

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind, ErrorKind::kUsage);
    return e.message;
  }
  return "no error";
}

TEST(RangeMethods, UnknownNamesAndParametersListTheValidOnes) {
  std::string valid;
  for (const RangeMethod* method : range_methods())
    valid += (valid.empty() ? "" : ", ") + std::string(method->name);
  EXPECT_EQ(message_of([] { range_method("msee"); }),
            "no range method 'msee', expected one of: " + valid);
  EXPECT_EQ(message_of([] {
              make_estimator("mse", {{"q", 1}});
            }),
            "range method 'mse': no parameter 'q', its parameters are p (1 to 8, default 2)");
  EXPECT_EQ(message_of([] {
              make_estimator("percentile", {{"q", 101}});
            }),
            "range method 'percentile': q = 101 is out of range, its parameters are q (50 to 100, "
            "default 99.99)");
  EXPECT_EQ(message_of([] {
              make_estimator("minmax", {{"q", 1}});
            }),
            "range method 'minmax': no parameter 'q', it takes no parameters");
  EXPECT_NE(message_of([] { make_estimator("mse", {{"p", std::nan("")}}); }), "no error");
}

}  // namespace
}  // namespace nibble::calibrate
