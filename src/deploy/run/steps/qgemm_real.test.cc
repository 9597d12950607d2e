#include <gtest/gtest-spi.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "deploy/run/steps/testing.h"

namespace nibble::run {
namespace {

using model::Attr;

constexpr int64_t kBlock = 32;

struct Problem {
  testing::Node node;
  std::vector<float> want;
};

/// [2][3][k] rows by [n][k] weights of `bits` with zero points, clipped at 0.
Problem make_problem(int64_t n, int64_t k, int bits, uint32_t seed) {
  std::mt19937 rng(seed);
  const auto real = [&] { return std::ldexp(static_cast<float>(rng() % 2001) - 1000, -12); };
  const int64_t m = 6, panels = (n + 31) / 32;
  const int64_t blocks = ((k + 63) / 64 * 64 + kBlock - 1) / kBlock;
  const uint32_t top = (1u << bits) - 1;
  std::vector<int8_t> codes;
  std::vector<uint8_t> stored;
  std::vector<float> row_scales, bias;
  Tensor scales(DType::kF32, {panels, blocks, 32}), zeros(DType::kU8, {panels, blocks, 32});
  for (int64_t i = 0; i < m * k; ++i)
    codes.push_back(static_cast<int8_t>(static_cast<int>(rng() % 255) - 127));
  for (int64_t i = 0; i < n * k; ++i) stored.push_back(static_cast<uint8_t>(rng() & top));
  for (int64_t i = 0; i < m; ++i) row_scales.push_back(std::abs(real()));
  for (int64_t i = 0; i < n; ++i) bias.push_back(i % 3 ? real() : -0.0f);
  for (int64_t i = 0; i < scales.size(); ++i) {
    const bool padding = i / (blocks * 32) * 32 + i % 32 >= n || i / 32 % blocks * kBlock >= k;
    scales.span<float>()[i] = padding ? 0 : real();
    zeros.span<uint8_t>()[i] = padding ? 0 : static_cast<uint8_t>(rng() & top);
  }

  Problem p{{model::Op::kQGemmReal, {}, {}, DType::kF32, {2, 3, n}}, {}};
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      float t = 0;
      for (int64_t b = 0; b * kBlock < k; ++b) {
        const int64_t at = (j / 32 * blocks + b) * 32 + j % 32;
        int32_t sum = 0;
        for (int64_t c = b * kBlock; c < std::min(k, (b + 1) * kBlock); ++c)
          sum += (stored[j * k + c] - zeros.span<uint8_t>()[at]) * codes[i * k + c];
        t = std::fma(static_cast<float>(sum), scales.span<float>()[at], t);
      }
      p.want.push_back(std::max(0.0f, std::fma(t, row_scales[i], bias[j] + 0.0f)));
    }
  p.node.attributes.set(Attr::block_size, kBlock);
  p.node.attributes.set(Attr::clip_min, 0.0f);
  const format::PackedRecord record = format::make_record(bits, false, 1, n, 1, 1, k);
  testing::Input weights{Tensor(DType::kU8, {n, k}), true, record,
                         std::vector<std::byte>(format::packed_bytes(record))};
  format::pack(record, stored, weights.stream);
  p.node.inputs = testing::activations(testing::tensor<int8_t>({2, 3, k}, codes));
  p.node.inputs.push_back(std::move(weights));
  p.node.inputs.push_back({testing::tensor<float>({2, 3}, row_scales)});
  p.node.inputs.push_back({std::move(scales), true});
  p.node.inputs.push_back({std::move(zeros), true});
  p.node.inputs.push_back({testing::tensor<float>({n}, bias), true});
  return p;
}

TEST(QGemmReal, GivesTheFormulasBytes) {
  uint32_t seed = 0;
  for (int bits = 1; bits <= 8; ++bits)
    for (const auto& [n, k] : {std::pair<int64_t, int64_t>{1, 1}, {33, 100}, {40, 128}}) {
      const Problem p = make_problem(n, k, bits, ++seed);
      for (Isa isa : {Isa::kPortable, testing::best_isa()})
        for (int threads : {1, 2})
          EXPECT_EQ(testing::values<float>(testing::run(p.node, isa, threads)), p.want)
              << n << "x" << k << " bits " << bits;
    }
}

TEST(QGemmReal, RefusesBlocksThatNoKernelTakes) {
  EXPECT_NONFATAL_FAILURE(
      {
        Problem p = make_problem(4, 128, 4, 1);
        p.node.attributes.set(Attr::block_size, int64_t{24});
        testing::run(p.node);
      },
      "a block_size of 24, expected 16, 32 or a multiple of 64");
  EXPECT_NONFATAL_FAILURE(
      {
        Problem p = make_problem(1, 64 * 700, 1, 1);
        p.node.attributes.set(Attr::block_size, int64_t{64 * 700});
        testing::run(p.node);
      },
      "blocks of 44800, whose sums exceed 32 bits");
}

}  // namespace
}  // namespace nibble::run
