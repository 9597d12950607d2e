#include "deploy/format/format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "deploy/format/depthwise.h"
#include "deploy/format/panel8.h"

// A second decoder, written from docs/formats/ alone: one code at a time, no shared helper.
namespace spec {

// Code at position `at` of the order at one byte a code, read from tiles of b bits.
unsigned field(const std::byte* stream, int bits, size_t at) {
  if (bits == 8) return static_cast<unsigned>(stream[at]);
  const std::byte* tile = stream + at / 1024 * 128 * static_cast<size_t>(bits);
  const size_t vector = at % 1024 / 64, byte = at % 64;
  unsigned u = 0;
  const std::string parts[] = {"", "1", "2", "21", "4", "41", "42", "421"};
  for (char digit : parts[bits]) {
    const size_t width = static_cast<size_t>(digit - '0'), p = 8 / width;
    const auto packed = static_cast<unsigned>(tile[vector / p * 64 + byte]);
    u = u << width | ((packed >> (vector % p * width)) & ((1u << width) - 1));
    tile += 128 * width;
  }
  return u;
}

// Position of (g, n, k) with groups of `np` padded channels and kp padded k.
size_t position(size_t g, size_t n, size_t k, size_t np, size_t kp) {
  const size_t panel = n / 32, wide = std::min<size_t>(32, np - 32 * panel);
  return g * np * kp + panel * 32 * kp + k / 64 * wide * 64 + n % 32 / 16 * 1024 + k % 64 / 4 * 64 +
         n % 16 * 4 + k % 4;
}

}  // namespace spec

namespace nibble::format {
namespace {

static_assert(packed_bytes(PackedRecord{}) == 0);

struct Case {
  int64_t groups, n, kh, kw, c;
};
constexpr Case kCases[] = {{1, 1, 1, 1, 1},  {1, 32, 1, 1, 64}, {1, 33, 1, 1, 65},
                           {1, 16, 3, 3, 3}, {1, 5, 7, 7, 3},   {2, 16, 1, 1, 63},
                           {3, 17, 3, 3, 5}, {4, 1, 1, 3, 2},   {1, 40, 3, 1, 66}};

std::vector<uint8_t> random_codes(int64_t count, int bits, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<uint8_t> codes(static_cast<size_t>(count));
  for (uint8_t& u : codes) u = static_cast<uint8_t>(engine() & ((1u << bits) - 1));
  return codes;
}

std::vector<std::byte> packed(const PackedRecord& r, const std::vector<uint8_t>& codes) {
  std::vector<std::byte> out(packed_bytes(r), std::byte{0xee});
  pack(r, codes, out);
  return out;
}

TEST(Format, EveryCodeInEveryPositionOfATile) {
  for (int bits = 1; bits <= 8; ++bits) {
    const PackedRecord r = make_record(bits, true, 1, 32, 1, 1, 64);
    for (int u = 0; u < 1 << bits; ++u) {
      // Codes run through all values over the positions: each position sees each value once.
      std::vector<uint8_t> codes(32 * 64), back(codes.size());
      for (size_t i = 0; i < codes.size(); ++i)
        codes[i] = static_cast<uint8_t>((i * 37 + static_cast<size_t>(u)) & ((1u << bits) - 1));
      const auto stream = packed(r, codes);
      unpack_to_rows(r, stream.data(), back);
      ASSERT_EQ(back, codes) << bits << " bits, " << u;
      for (size_t n = 0; n < 32; ++n)
        for (size_t k = 0; k < 64; ++k)
          ASSERT_EQ(spec::field(stream.data(), bits, spec::position(0, n, k, 32, 64)),
                    codes[n * 64 + k]);
    }
  }
}

TEST(Format, ShapesPaddingAndSecondDecoder) {
  for (const Case& s : kCases)
    for (int bits = 1; bits <= 8; ++bits)
      for (bool is_signed : {false, true}) {
        const PackedRecord r = make_record(bits, is_signed, s.groups, s.n, s.kh, s.kw, s.c);
        ASSERT_TRUE(check(r).ok()) << check(r).message();
        const auto codes = random_codes(code_count(r), bits, 7);
        const auto stream = packed(r, codes);
        std::vector<uint8_t> back(codes.size());
        unpack_to_rows(r, stream.data(), back);
        ASSERT_EQ(back, codes);

        // Every position of the padded box, by the second decoder: real codes, or the offset code.
        const int64_t np = s.groups == 1 ? (s.n + 31) / 32 * 32 : (s.n + 15) / 16 * 16;
        const int64_t c_pad = (s.c + 3) / 4 * 4, k = s.kh * s.kw * c_pad, kp = (k + 63) / 64 * 64;
        ASSERT_EQ(stream.size(), static_cast<size_t>(s.groups * np * kp * bits / 8));
        const unsigned zero = is_signed ? 1u << (bits - 1) : 0;
        std::vector<std::byte> wide(panel8_bytes(r), std::byte{0xee});
        unpack_to_panel8(r, stream.data(), wide.data());
        const int64_t whole = (s.n + 31) / 32 * 32;
        for (int64_t g = 0; g < s.groups; ++g)
          for (int64_t n = 0; n < whole; ++n)
            for (int64_t i = 0; i < kp; ++i) {
              unsigned expected = zero;
              if (n < s.n && i < k && i % c_pad < s.c)
                expected = codes[static_cast<size_t>(
                    ((g * s.n + n) * s.kh * s.kw + i / c_pad) * s.c + i % c_pad)];
              const auto at = [&](int64_t channels) {
                return spec::position(static_cast<size_t>(g), static_cast<size_t>(n),
                                      static_cast<size_t>(i), static_cast<size_t>(channels),
                                      static_cast<size_t>(kp));
              };
              if (n < np) {
                ASSERT_EQ(spec::field(stream.data(), bits, at(np)), expected);
              }
              ASSERT_EQ(static_cast<unsigned>(wide[at(whole)]), expected);
            }
        if (r.format == FormatId::kPanel8 && np == whole) {
          EXPECT_EQ(wide, stream);
        }
      }
}

TEST(Format, PanelOffsetIsABijection) {
  for (int64_t channels : {32, 48, 96}) {
    std::vector<char> seen(static_cast<size_t>(channels * 192), 0);
    for (int64_t n = 0; n < channels; ++n)
      for (int64_t k = 0; k < 192; ++k) {
        const int64_t at = panel8_offset(channels, 192, n, k);
        ASSERT_TRUE(at >= 0 && at < channels * 192);
        ASSERT_FALSE(seen[static_cast<size_t>(at)]++);
      }
  }
}

TEST(Format, DepthwiseOfEveryWidth) {
  for (int bits = 1; bits <= 8; ++bits)
    for (const auto& [channels, kh, kw] :
         {std::array<int64_t, 3>{1, 1, 1}, {16, 3, 3}, {17, 3, 3}, {40, 5, 5}, {100, 1, 7}}) {
      const PackedRecord r = make_depthwise_record(bits, true, channels, kh, kw);
      ASSERT_TRUE(check(r).ok()) << check(r).message();
      const auto codes = random_codes(code_count(r), bits, 3);
      const auto stream = packed(r, codes);
      std::vector<uint8_t> back(codes.size());
      unpack_to_rows(r, stream.data(), back);
      ASSERT_EQ(back, codes);

      const int64_t per_row = (kw + 2) / 3, blocks = (channels + 15) / 16;
      const int64_t vectors = blocks * kh * per_row;
      const int64_t size = bits == 8 ? vectors * 64 : (vectors + 15) / 16 * 128 * bits;
      ASSERT_EQ(stream.size(), static_cast<size_t>(size));
      std::vector<std::byte> wide(depthwise8_bytes(r), std::byte{0xee});
      unpack_depthwise_to_8(r, stream.data(), wide.data());
      for (int64_t at = 0; at < vectors * 64; ++at) {
        const int64_t vector = at / 64, lane = at % 64 / 4, tap = at % 4;
        const int64_t channel = vector / per_row / kh * 16 + lane;
        const int64_t ky = vector / per_row % kh, kx = vector % per_row * 3 + tap;
        unsigned expected = 0;
        if (channel < channels && tap < 3 && kx < kw)
          expected = codes[static_cast<size_t>((channel * kh + ky) * kw + kx)];
        ASSERT_EQ(spec::field(stream.data(), bits, static_cast<size_t>(at)), expected);
        ASSERT_EQ(static_cast<unsigned>(wide[static_cast<size_t>(at)]), expected);
      }
    }
}

// acc = sum u x - offset sum x must be the plain product whatever x the padding meets, for extreme
// codes too.
TEST(Format, OffsetCodesGiveTheSignedProduct) {
  for (int bits = 1; bits <= 8; ++bits)
    for (int64_t c : {1, 63, 64, 65})
      for (int pattern = 0; pattern < 4; ++pattern) {
        const PackedRecord r = make_record(bits, true, 1, 3, 1, 1, c);
        auto codes = random_codes(code_count(r), bits, 5);
        const uint8_t top = static_cast<uint8_t>((1 << bits) - 1);
        for (size_t i = 0; i < codes.size() && pattern < 3; ++i)
          codes[i] = pattern == 0 ? 0 : pattern == 1 ? top : i % 2 ? top : 0;
        const auto stream = packed(r, codes);
        std::vector<std::byte> wide(panel8_bytes(r));
        unpack_to_panel8(r, stream.data(), wide.data());
        for (int64_t n = 0; n < 3; ++n) {
          int64_t plain = 0, acc = 0, row_sum = 0;
          for (int64_t k = 0; k < padded_k(r); ++k) {
            const int64_t x = (k * 91 + 13) % 256 - 128;
            const auto u = static_cast<int64_t>(
                wide[static_cast<size_t>(panel8_offset(32, padded_k(r), n, k))]);
            acc += u * x;
            row_sum += x;
            if (k < c) plain += (codes[static_cast<size_t>(n * c + k)] - r.offset) * x;
          }
          ASSERT_EQ(acc - r.offset * row_sum, plain);
        }
      }
}

TEST(Format, CheckRefusesWhatContradictsItself) {
  const PackedRecord good = make_record(3, true, 2, 5, 3, 3, 7);
  ASSERT_TRUE(check(good).ok());
  const auto broken = [&](auto change) {
    PackedRecord r = good;
    change(r);
    return check(r).code();
  };
  EXPECT_EQ(broken([](auto& r) { r.format = static_cast<FormatId>(5); }), StatusCode::kUnsupported);
  EXPECT_EQ(broken([](auto& r) { r.version = 3; }), StatusCode::kUnsupported);
  EXPECT_EQ(broken([](auto& r) { r.version = 2; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.spacing = 2; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.version = r.spacing = 2; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.format = FormatId::kPlain; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.format = FormatId::kField; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.format = FormatId::kDepthwise; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.bits = 0; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.bits = 9; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.offset = 3; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.groups = 0; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.n = -1; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.n = int64_t{1} << 40; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.kh = INT64_MAX; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.c = 9; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.c_pad = 7; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken([](auto& r) { r.k = 64; }), StatusCode::kCorrupt);
}

}  // namespace
}  // namespace nibble::format
