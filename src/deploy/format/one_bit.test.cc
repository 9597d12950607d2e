// Binary and ternary weights: records, padding, every code in every position, and the illegal code.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "deploy/format/format.h"
#include "deploy/format/panel8.h"

namespace nibble::format {
namespace {

constexpr size_t kCodes = 32 * 64;  // of one panel and step: two tiles

PackedRecord ternary(int64_t c = 64) {
  return as_ternary(make_record(2, true, 1, 32, 1, 1, c));
}
PackedRecord binary(int64_t c = 64) {
  return as_binary(make_record(1, true, 1, 32, 1, 1, c));
}

std::vector<std::byte> packed(const PackedRecord& r, const std::vector<uint8_t>& codes) {
  std::vector<std::byte> out(packed_bytes(r));
  pack(r, codes, out);
  return out;
}

TEST(OneBit, RecordsSayWhatCodesMean) {
  EXPECT_TRUE(check(ternary()).ok());
  EXPECT_TRUE(check(binary()).ok());
  EXPECT_TRUE(check(as_ternary(make_depthwise_record(2, true, 5, 3, 3))).ok());
  EXPECT_TRUE(check(as_binary(make_depthwise_record(1, true, 5, 3, 3))).ok());
  EXPECT_EQ(packed_bytes(ternary()), kCodes / 4);
  EXPECT_EQ(packed_bytes(binary()), kCodes / 8);
  const auto broken = [](PackedRecord r, auto change) {
    change(r);
    return check(r).code();
  };
  // A reader of version 1 alone would take binary codes for -1 and 0.
  EXPECT_EQ(broken(binary(), [](auto& r) { r.version = 1; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken(binary(), [](auto& r) { r.spacing = 1; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken(binary(), [](auto& r) { r.spacing = 0; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken(binary(), [](auto& r) { r.offset = 0; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken(ternary(), [](auto& r) { r.offset = 3; }), StatusCode::kCorrupt);
  EXPECT_EQ(broken(make_record(3, true, 1, 1, 1, 1, 1), [](auto& r) { r.offset = 1; }),
            StatusCode::kCorrupt);
}

TEST(OneBit, EveryTernaryCodeInEveryPositionAndNoOther) {
  const PackedRecord r = ternary();
  for (int shift = 0; shift < 3; ++shift) {
    std::vector<uint8_t> codes(kCodes), back(kCodes);
    for (size_t i = 0; i < kCodes; ++i)
      codes[i] = static_cast<uint8_t>((i * 7 + i / 64 + shift) % 3);
    auto stream = packed(r, codes);
    unpack_to_rows(r, stream.data(), back);
    EXPECT_EQ(back, codes);
    EXPECT_TRUE(check_codes(r, stream).ok());
    // One illegal code at a time, in every field of the stream.
    for (size_t i = 0; i < stream.size(); ++i)
      for (int field = 0; field < 8; field += 2) {
        const std::byte good = stream[i];
        stream[i] |= std::byte{3} << field;
        const Status status = check_codes(r, stream);
        ASSERT_EQ(status.code(), StatusCode::kCorrupt);
        ASSERT_THAT(status.message(), testing::HasSubstr("byte " + std::to_string(i) + ";"));
        stream[i] = good;
      }
  }
}

TEST(OneBit, OtherWidthsHaveNoIllegalCode) {
  const std::vector<std::byte> ones(packed_bytes(ternary()), std::byte{0xff});
  EXPECT_TRUE(check_codes(make_record(2, true, 1, 32, 1, 1, 64), ones).ok());
  EXPECT_TRUE(check_codes(binary(), ones).ok());
}

TEST(OneBit, DepthwisePaddingOfTernaryCodesIsLegal) {
  const PackedRecord r = as_ternary(make_depthwise_record(2, true, 17, 3, 3));
  const std::vector<uint8_t> codes(static_cast<size_t>(code_count(r)), 2);
  EXPECT_TRUE(check_codes(r, packed(r, codes)).ok());
}

/// 2 sum u x - sum x over the padded lanes is the product of +-1 codes where padded x are 0; so is
/// sum u x - sum x for ternary codes, whatever x the padding meets.
TEST(OneBit, StoredCodesGiveTheProduct) {
  for (int64_t c : {1, 63, 64, 65, 130})
    for (const PackedRecord& r : {binary(c), ternary(c)}) {
      const int levels = r.spacing == 2 ? 2 : 3;
      std::vector<uint8_t> codes(static_cast<size_t>(code_count(r)));
      for (size_t i = 0; i < codes.size(); ++i)
        codes[i] = static_cast<uint8_t>((i * 31 + i / 5) % static_cast<size_t>(levels));
      std::vector<std::byte> wide(panel8_bytes(r));
      unpack_to_panel8(r, packed(r, codes).data(), wide.data());
      for (int64_t n = 0; n < r.n; ++n) {
        int64_t plain = 0, sum = 0, row_sum = 0;
        for (int64_t k = 0; k < padded_k(r); ++k) {
          const bool padding = k >= c;
          const int64_t x = padding && r.spacing == 2 ? 0 : (k * 91 + 13) % 256 - 128;
          sum += static_cast<int64_t>(
                     wide[static_cast<size_t>(panel8_offset(32, padded_k(r), n, k))]) *
                 x;
          row_sum += x;
          if (!padding) plain += (r.spacing * codes[static_cast<size_t>(n * c + k)] - 1) * x;
        }
        ASSERT_EQ(r.spacing * sum - row_sum, plain);
      }
    }
}

}  // namespace
}  // namespace nibble::format
