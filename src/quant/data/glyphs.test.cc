#include "quant/data/glyphs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quant/data/random.h"
#include "quant/data/testing.h"

namespace nibble::data {
namespace {

// The reference numbers of splitmix64.c (Vigna) for seed 1234567.
TEST(Random, SplitMix64) {
  SplitMix64 random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(Random, BelowCoversItsRange) {
  SplitMix64 random(1);
  int seen[3] = {};
  for (int i = 0; i < 3000; ++i) ++seen[random.below(3)];
  for (int count : seen) EXPECT_NEAR(count, 1000, 120);
  EXPECT_EQ(random.below(1), 0u);
}

/// FNV-1a over pictures and labels.
uint64_t hash_of(uint64_t seed, int64_t count) {
  uint64_t hash = 14695981039346656037u;
  const auto add = [&](uint8_t byte) { hash = (hash ^ byte) * 1099511628211u; };
  for (int64_t i = 0; i < count; ++i) {
    const GlyphSample sample = render_glyph(seed, i);
    for (uint8_t pixel : sample.image.pixels) add(pixel);
    add(static_cast<uint8_t>(sample.label));
  }
  return hash;
}

TEST(Glyphs, TheSameBytesOnEveryMachine) {
  EXPECT_EQ(hash_of(1, 100), 6811735770086098079u);
  EXPECT_EQ(hash_of(2, 100), 2903329664550480246u);
}

TEST(Glyphs, StrokesStayInTheBox) {
  for (int glyph = 0; glyph < kGlyphs; ++glyph) {
    EXPECT_GE(glyph_strokes(glyph).size(), 3u);
    for (const Segment& s : glyph_strokes(glyph))
      for (Point p : {s.from, s.to}) {
        EXPECT_LE(std::abs(p.x), 1);
        EXPECT_LE(std::abs(p.y), 1);
      }
  }
}

TEST(Synthetic, SampleDependsOnSeedAndIndexAlone) {
  const auto all = open_dataset("synthetic:5@samples=64", {}, Part::kTest);
  const auto some = open_dataset("synthetic:5@range=40:50", {}, Part::kTrain);
  const auto other = open_dataset("synthetic:6@range=40:50", {}, Part::kTrain);
  EXPECT_EQ(all->describe(), "generated glyphs (seed 5), 64 of 10,000 images 3x32x32, labels");
  const Batch a = all->read(40, 10), b = some->read(0, 10), c = other->read(0, 10);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_TRUE(std::ranges::equal(a.inputs[0].span<uint8_t>(), b.inputs[0].span<uint8_t>()));
  EXPECT_FALSE(std::ranges::equal(a.inputs[0].span<uint8_t>(), c.inputs[0].span<uint8_t>()));
}

TEST(Synthetic, SizeAndFaults) {
  EXPECT_EQ(open_dataset("synthetic:1", {}, Part::kTest)->size(), 10000);
  EXPECT_EQ(open_dataset("synthetic:1@samples=50000", {}, Part::kTest)->size(), 50000);
  EXPECT_EQ(open_dataset("synthetic:1@range=9990:20000,samples=70", {}, Part::kTest)->size(), 70);
  for (const char* spec : {"synthetic:", "synthetic:x", "synthetic:-1", "synthetic:1@labels=x"})
    error_of(ErrorKind::kUsage, [&] { open_dataset(spec, {}, Part::kTest); });
}

}  // namespace
}  // namespace nibble::data
