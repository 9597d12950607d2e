#include "quant/recipe/scheme.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "quant/graph/error.h"

namespace nibble::recipe {
namespace {

using Activations = Scheme::Activations;

TEST(Scheme, PlainWidths) {
  const Scheme s = parse_scheme("W4A8");
  EXPECT_EQ(s.weight_bits, 4);
  EXPECT_EQ(s.act_bits, 8);
  EXPECT_EQ(s.activations, Activations::kInt);
  EXPECT_FALSE(s.ternary);
  EXPECT_EQ(s.group, 0);
  EXPECT_FALSE(s.symmetric.has_value());
}

TEST(Scheme, SixteenBitsAreFloatAndI16IsInteger) {
  EXPECT_EQ(parse_scheme("W4A16").activations, Activations::kFloat);
  EXPECT_EQ(parse_scheme("W8AI16").activations, Activations::kInt16);
  EXPECT_EQ(parse_scheme("W8AI16").act_bits, 16);
}

TEST(Scheme, TernaryGroupsAndSymmetry) {
  EXPECT_TRUE(parse_scheme("WTA8").ternary);
  EXPECT_EQ(parse_scheme("W4A16G128").group, 128);
  EXPECT_EQ(parse_scheme("W4A8_SYM").symmetric, true);
  EXPECT_EQ(parse_scheme("W4A8G32_ASYM").symmetric, false);
}

TEST(Scheme, EveryFaultShowsTheGrammar) {
  for (const char* text : {"",
                           "W",
                           "4A8",
                           "W0A8",
                           "W9A8",
                           "W4",
                           "W4A",
                           "W4A0",
                           "W4A9",
                           "W4A12",
                           "W4A17",
                           "W4AI8",
                           "W4A8G",
                           "W4A8G0",
                           "W4A8_",
                           "W4A8_SYMx",
                           "W4A8 ",
                           "w4a8",
                           "W04A8",
                           "W-4A8",
                           "W4A8G-1",
                           "W99999999999999999999A8",
                           "W4A8G99999999999"}) {
    try {
      parse_scheme(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.kind, ErrorKind::kUsage) << text;
      EXPECT_THAT(e.message, testing::HasSubstr("W<1..8|T>A<1..8|16|I16>[G<block>][_SYM|_ASYM]"));
      EXPECT_THAT(e.message, testing::HasSubstr("scheme '" + std::string(text) + "'"));
    }
  }
}

RC_GTEST_PROP(Scheme, TextRoundTrips, ()) {
  Scheme s;
  s.ternary = *rc::gen::arbitrary<bool>();
  s.weight_bits = s.ternary ? 2 : *rc::gen::inRange(1, 9);
  s.activations = *rc::gen::element(Activations::kInt, Activations::kFloat, Activations::kInt16);
  s.act_bits = s.activations == Activations::kInt ? *rc::gen::inRange(1, 9) : 16;
  s.group = *rc::gen::inRange<int64_t>(0, 1000);
  s.symmetric = *rc::gen::element<std::optional<bool>>(std::nullopt, true, false);
  RC_ASSERT(parse_scheme(to_string(s)) == s);
}

TEST(Scheme, DefaultWeightRange) {
  using numeric::RangeKind;
  for (int bits = 5; bits <= 8; ++bits)
    EXPECT_EQ(default_weight_range(bits, true), RangeKind::kRestricted);
  for (int bits = 2; bits <= 4; ++bits)
    EXPECT_EQ(default_weight_range(bits, true), RangeKind::kFull);
  for (int bits = 2; bits <= 8; ++bits)
    EXPECT_EQ(default_weight_range(bits, false), RangeKind::kAsymmetric);
}

}  // namespace
}  // namespace nibble::recipe
