#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/format/format.h"
#include "deploy/kernels/matmul/matmul.h"

namespace nibble::kernels {
namespace {

enum class Codes { kRandom, kZero, kLargest, kSmallest, kAlternating };

struct Problem {
  int64_t m, n, k, block;
  int bits;
  bool has_zeros = false;
  int32_t sum_shift = 0;
  float lo = -std::numeric_limits<float>::infinity(), hi = std::numeric_limits<float>::infinity();
  std::vector<int8_t> a = {};       // [m][k]
  std::vector<uint8_t> u = {};      // [n][k]
  std::vector<float> scales = {};   // [n][blocks]
  std::vector<uint8_t> zeros = {};  // [n][blocks]
  std::vector<float> rows = {};     // [m]
  std::vector<float> bias = {};     // [n]
  int32_t offset() const { return sum_shift ? 1 : has_zeros ? 0 : 1 << (bits - 1); }
  int64_t blocks() const { return (k + block - 1) / block; }
};

void fill(Problem& p, Codes codes, uint32_t seed) {
  std::mt19937 rng(seed);
  const auto real = [&] { return std::ldexp(static_cast<float>(rng() % 2001) - 1000, -12); };
  const int top = (1 << p.bits) - 1;
  for (int64_t i = 0; i < p.m * p.k; ++i)
    p.a.push_back(static_cast<int8_t>(codes == Codes::kRandom ? static_cast<int>(rng() % 255) - 127
                                      : codes == Codes::kZero ? 0
                                      : codes == Codes::kLargest  ? 127
                                      : codes == Codes::kSmallest ? -128
                                                                  : (i % 2 ? 127 : -128)));
  for (int64_t i = 0; i < p.n * p.k; ++i)
    p.u.push_back(static_cast<uint8_t>(codes == Codes::kRandom        ? rng() & top
                                       : codes == Codes::kAlternating ? (i % 2 ? top : 0)
                                                                      : top));
  for (int64_t i = 0; i < p.n * p.blocks(); ++i) {
    p.scales.push_back(std::abs(real()) + 0x1p-13f);
    p.zeros.push_back(static_cast<uint8_t>(rng() & top));
  }
  for (int64_t i = 0; i < p.m; ++i) p.rows.push_back(std::abs(real()) + 0x1p-13f);
  for (int64_t i = 0; i < p.n; ++i) p.bias.push_back(real());
}

/// The definition (matmul_s8.h), one element at a time.
std::vector<float> plain(const Problem& p) {
  std::vector<float> y;
  for (int64_t i = 0; i < p.m; ++i)
    for (int64_t n = 0; n < p.n; ++n) {
      float t = 0;
      for (int64_t b = 0; b < p.blocks(); ++b) {
        const int zero = p.offset() + (p.has_zeros ? p.zeros[n * p.blocks() + b] : 0);
        int64_t sum = 0;
        for (int64_t k = b * p.block; k < std::min(p.k, (b + 1) * p.block); ++k)
          sum += int64_t{(p.u[n * p.k + k] << p.sum_shift) - zero} * p.a[i * p.k + k];
        t = std::fma(static_cast<float>(sum), p.scales[n * p.blocks() + b], t);
      }
      const float v = std::fma(t, p.rows[i], p.bias[n]);
      y.push_back(std::min(std::max(v, p.lo), p.hi));
    }
  return y;
}

std::vector<float> by_kernel(const Problem& p, const MatmulS8Variant& variant, int threads) {
  const format::PackedRecord record = format::make_record(p.bits, !p.has_zeros, 1, p.n, 1, 1, p.k);
  Buffer stream(format::packed_bytes(record));
  format::pack(record, p.u, {stream.data(), stream.size()});
  MatmulRealS8 q{.b = stream.data(), .bits = p.bits, .n = p.n};
  q.k_padded = format::padded_k(record);
  q.block = std::min(p.block, q.k_padded);
  q.offset = p.offset();
  q.sum_shift = p.sum_shift;
  q.lo = p.lo, q.hi = p.hi;
  const int64_t panels = (p.n + 31) / 32, blocks = q.blocks();
  std::vector<float> scales(static_cast<size_t>(panels * blocks * 32)), bias(panels * 32);
  std::vector<uint8_t> zeros(scales.size());
  for (int64_t n = 0; n < p.n; ++n) {
    bias[n] = p.bias[n];
    for (int64_t b = 0; b < p.blocks(); ++b) {
      scales[(n / 32 * blocks + b) * 32 + n % 32] = p.scales[n * p.blocks() + b];
      zeros[(n / 32 * blocks + b) * 32 + n % 32] = p.zeros[n * p.blocks() + b];
    }
  }
  q.scales = scales.data(), q.bias = bias.data();
  q.zeros = p.has_zeros ? zeros.data() : nullptr;
  std::vector<int8_t> a(static_cast<size_t>(p.m * q.k_padded));
  for (int64_t i = 0; i < p.m; ++i)
    std::memcpy(a.data() + i * q.k_padded, p.a.data() + i * p.k, static_cast<size_t>(p.k));
  std::vector<int32_t> sums(static_cast<size_t>(p.m * blocks));
  std::vector<float> y(static_cast<size_t>(p.m * p.n) + 1, -7.0f);
  ThreadPool pool(threads);
  matmul_real_s8(variant, q, a.data(), p.rows.data(), p.m, sums.data(), y.data(), pool);
  EXPECT_EQ(y.back(), -7.0f) << "wrote behind its rows";
  y.pop_back();
  return y;
}

void expect_exact(Problem p, Codes codes, uint32_t seed) {
  SCOPED_TRACE(std::to_string(p.m) + "x" + std::to_string(p.n) + "x" + std::to_string(p.k) +
               " bits " + std::to_string(p.bits) + " block " + std::to_string(p.block));
  fill(p, codes, seed);
  const std::vector<float> expected = plain(p);
  for (const MatmulS8Variant& variant : matmul_s8_variants()) {
    if (!cpu_runs(variant.isa)) continue;
    for (int threads : {1, 2}) {
      const std::vector<float> y = by_kernel(p, variant, threads);
      ASSERT_EQ(y.size(), expected.size());
      EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.size() * 4), 0) << variant.name;
    }
  }
}

TEST(MatmulRealS8, EveryWidthAndBlockGivesTheDefinitionsBytes) {
  uint32_t seed = 0;
  for (int bits = 1; bits <= 8; ++bits)
    for (int64_t block : {16, 32, 64, 128, 1 << 20})
      for (bool zeros : {false, true}) {
        expect_exact({1, 33, 200, block, bits, zeros}, Codes::kRandom, ++seed);
        expect_exact({5, 20, 129, block, bits, zeros}, Codes::kRandom, ++seed);
      }
}

TEST(MatmulRealS8, ExtremesFitTheirIntermediates) {
  uint32_t seed = 100;
  for (int bits = 1; bits <= 8; ++bits)
    for (Codes codes : {Codes::kZero, Codes::kLargest, Codes::kSmallest, Codes::kAlternating})
      for (int64_t block : {32, 1024}) {
        expect_exact({1, 32, 1024, block, bits}, codes, ++seed);
        expect_exact({9, 16, 320, block, bits, true}, codes, ++seed);
      }
}

TEST(MatmulRealS8, SmallAndOddShapes) {
  uint32_t seed = 200;
  for (int64_t m : {1, 2, 3, 4, 7, 11, 25})
    for (int64_t n : {1, 15, 16, 17, 31, 65})
      for (int64_t k : {1, 3, 63, 64, 65}) expect_exact({m, n, k, 16, 4}, Codes::kRandom, ++seed);
}

TEST(MatmulRealS8, BinaryWeightsAndBounds) {
  expect_exact({3, 40, 130, 32, 1, false, 1}, Codes::kRandom, 1);
  expect_exact({1, 40, 130, 1 << 20, 1, false, 1}, Codes::kLargest, 2);
  for (int64_t m : {1, 6})
    expect_exact({m, 40, 130, 32, 4, false, 0, 0.0f, 0.25f}, Codes::kRandom, 3);
}

TEST(MatmulRealS8, NanOfARowScaleIsKept) {
  Problem p{1, 20, 64, 64, 4, false, 0, 0.0f, 1.0f};
  fill(p, Codes::kRandom, 5);
  p.rows[0] = std::numeric_limits<float>::quiet_NaN();
  for (const MatmulS8Variant& variant : matmul_s8_variants()) {
    if (!cpu_runs(variant.isa)) continue;
    for (float v : by_kernel(p, variant, 1)) EXPECT_TRUE(std::isnan(v)) << variant.name;
  }
}

}  // namespace
}  // namespace nibble::kernels
