#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quant/data/source.h"

namespace nibble::data {

struct Point {
  float x = 0, y = 0;
};
/// A straight stroke.
struct Segment {
  Point from, to;
};

inline constexpr int kGlyphs = 16;

/// The strokes of glyph 0..15 (A B C D E F G K O P Q R S Z 2 5) in the box [-1, 1] x [-1, 1], y
/// down; curves as chords.
std::span<const Segment> glyph_strokes(int glyph);

/// One picture of the generator, 32x32 RGB, and its class; a function of `seed` and `index` alone,
/// the same bytes on every machine (only +, -, *, /, sqrt in binary32). One glyph under a random
/// affine map, in a colour of random contrast, on a colour gradient, crossed by clutter strokes;
/// then blur and noise.
struct GlyphSample {
  Image image;
  int label = 0;
};
GlyphSample render_glyph(uint64_t seed, int64_t index);

}  // namespace nibble::data
