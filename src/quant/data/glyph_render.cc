#include <algorithm>
#include <array>
#include <cmath>

#include "quant/data/glyphs.h"
#include "quant/data/random.h"

namespace nibble::data {
namespace {

constexpr int kSide = 32, kChannels = 3;
constexpr size_t kValues = size_t{kSide} * kSide * kChannels;

using Colour = std::array<float, kChannels>;
using Canvas = std::array<float, kValues>;  // [y][x][channel], about 0..1

/// Random numbers of one sample.
class Dice {
 public:
  Dice(uint64_t seed, uint64_t index)
      : random_(SplitMix64(SplitMix64(seed).next() ^ SplitMix64(~index).next()).next()) {}
  float between(float low, float high) { return low + (high - low) * random_.uniform(); }
  int below(int bound) { return static_cast<int>(random_.below(static_cast<uint64_t>(bound))); }
  /// Mean 0, variance 1: the sum of four uniform numbers (Irwin, Hall), scaled.
  float normal() {
    float sum = 0;
    for (int i = 0; i < 4; ++i) sum += random_.uniform();
    return (sum - 2.0f) * 1.7320508f;
  }
  Colour colour(float low, float high) {
    Colour c;
    for (float& v : c) v = between(low, high);
    return c;
  }

 private:
  SplitMix64 random_;
};

float distance_squared(Point p, const Segment& s) {
  const float dx = s.to.x - s.from.x, dy = s.to.y - s.from.y;
  const float px = p.x - s.from.x, py = p.y - s.from.y;
  const float length = dx * dx + dy * dy;
  const float t = length > 0 ? std::clamp((px * dx + py * dy) / length, 0.0f, 1.0f) : 0.0f;
  const float ex = px - t * dx, ey = py - t * dy;
  return ex * ex + ey * ey;
}

/// Draws strokes of `width` pixels, round ends, edges antialiased over one pixel.
void draw(Canvas& canvas, std::span<const Segment> strokes, float width, const Colour& colour,
          float opacity) {
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) {
      const Point centre{static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f};
      float nearest = 1e9f;
      for (const Segment& s : strokes) nearest = std::min(nearest, distance_squared(centre, s));
      const float inside = std::clamp(0.5f * width + 0.5f - std::sqrt(nearest), 0.0f, 1.0f);
      const float alpha = inside * opacity;
      if (alpha == 0) continue;
      float* pixel = &canvas[static_cast<size_t>(y * kSide + x) * kChannels];
      for (size_t c = 0; c < kChannels; ++c) pixel[c] = pixel[c] + alpha * (colour[c] - pixel[c]);
    }
}

/// Four corner colours around one, blended across the picture.
void fill_gradient(Canvas& canvas, const Colour& base, float spread, Dice& dice) {
  std::array<Colour, 4> corners;
  for (Colour& corner : corners)
    for (size_t c = 0; c < kChannels; ++c) corner[c] = base[c] + dice.between(-spread, spread);
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x)
      for (size_t c = 0; c < kChannels; ++c) {
        const float u = static_cast<float>(x) / (kSide - 1),
                    v = static_cast<float>(y) / (kSide - 1);
        const float top = corners[0][c] + u * (corners[1][c] - corners[0][c]);
        const float bottom = corners[2][c] + u * (corners[3][c] - corners[2][c]);
        canvas[static_cast<size_t>(y * kSide + x) * kChannels + c] = top + v * (bottom - top);
      }
}

/// The glyph's strokes in pixels: scaled, sheared, rotated, moved. The rotation is the rational
/// point ((1 - t^2) / (1 + t^2), 2t / (1 + t^2)) of the unit circle: no sine, no cosine.
std::vector<Segment> place(std::span<const Segment> strokes, Dice& dice) {
  const float sx = dice.between(5.5f, 10.0f), sy = dice.between(6.5f, 11.0f);
  const float shear = dice.between(-0.35f, 0.35f), t = dice.between(-0.22f, 0.22f);  // +-25 degrees
  const float cosine = (1 - t * t) / (1 + t * t), sine = 2 * t / (1 + t * t);
  const float cx = 16 + dice.between(-4.5f, 4.5f), cy = 16 + dice.between(-4.0f, 4.0f);
  const auto map = [&](Point p) {
    const float x = sx * (p.x + shear * p.y), y = sy * p.y;
    return Point{cx + cosine * x - sine * y, cy + sine * x + cosine * y};
  };
  std::vector<Segment> placed;
  for (const Segment& s : strokes) placed.push_back({map(s.from), map(s.to)});
  return placed;
}

/// Short strokes anywhere, each in a colour between the glyph's and a random one.
void draw_clutter(Canvas& canvas, int count, const Colour& glyph, Dice& dice) {
  for (int i = 0; i < count; ++i) {
    const Point from{dice.between(0, kSide), dice.between(0, kSide)};
    const Point to{from.x + dice.between(-9, 9), from.y + dice.between(-9, 9)};
    const float mix = dice.between(0, 1);
    Colour colour = dice.colour(0, 1);
    for (size_t c = 0; c < kChannels; ++c) colour[c] = colour[c] + mix * (glyph[c] - colour[c]);
    const Segment stroke{from, to};
    const float width = dice.between(0.8f, 2.2f);
    draw(canvas, {&stroke, 1}, width, colour, dice.between(0.4f, 0.9f));
  }
}

/// Blends with the 3x3 binomial mean; edges repeat.
void blur(Canvas& canvas, float strength) {
  const Canvas in = canvas;
  const auto at = [&](int y, int x, size_t c) {
    y = std::clamp(y, 0, kSide - 1);
    x = std::clamp(x, 0, kSide - 1);
    return in[static_cast<size_t>(y * kSide + x) * kChannels + c];
  };
  const auto row = [&](int y, int x, size_t c) {
    return at(y, x - 1, c) + 2 * at(y, x, c) + at(y, x + 1, c);
  };
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x)
      for (size_t c = 0; c < kChannels; ++c) {
        const float mean = (row(y - 1, x, c) + 2 * row(y, x, c) + row(y + 1, x, c)) / 16;
        float& value = canvas[static_cast<size_t>(y * kSide + x) * kChannels + c];
        value = value + strength * (mean - value);
      }
}

/// A colour whose brightness differs from the background's by `contrast`, on the side with room.
Colour glyph_colour(const Colour& background, float contrast, Dice& dice) {
  const float light = (background[0] + background[1] + background[2]) / 3;
  const float step = light < 0.5f ? contrast : -contrast;
  Colour colour;
  for (size_t c = 0; c < kChannels; ++c)
    colour[c] = std::clamp(background[c] + step + dice.between(-0.15f, 0.15f), 0.0f, 1.0f);
  return colour;
}

}  // namespace

GlyphSample render_glyph(uint64_t seed, int64_t index) {
  Dice dice(seed, static_cast<uint64_t>(index));
  GlyphSample sample;
  sample.label = dice.below(kGlyphs);
  Canvas canvas;
  const Colour background = dice.colour(0.1f, 0.9f);
  const Colour colour = glyph_colour(background, dice.between(0.14f, 0.5f), dice);
  fill_gradient(canvas, background, 0.18f, dice);
  draw_clutter(canvas, 2 + dice.below(4), colour, dice);
  // One draw a statement: the order of arguments' evaluation is the compiler's.
  const float width = dice.between(1.4f, 2.8f);
  draw(canvas, place(glyph_strokes(sample.label), dice), width, colour, 1);
  draw_clutter(canvas, dice.below(4), colour, dice);
  for (int rounds = dice.below(3); rounds > 0; --rounds) blur(canvas, dice.between(0.3f, 1));
  const float noise = dice.between(0.02f, 0.14f);
  sample.image = {kSide, kSide, kChannels, std::vector<uint8_t>(kValues)};
  for (size_t i = 0; i < kValues; ++i) {
    const float value = canvas[i] + noise * dice.normal();
    sample.image.pixels[i] = static_cast<uint8_t>(std::clamp(value, 0.0f, 1.0f) * 255.0f + 0.5f);
  }
  return sample;
}

}  // namespace nibble::data
