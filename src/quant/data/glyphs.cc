#include "quant/data/glyphs.h"

#include <array>

namespace nibble::data {
namespace {

/// Paths as in SVG: M moves, L draws a line, Q a quadratic Bezier curve (control point, end); whole
/// coordinates 0..16, y down. Several pairs differ by one stroke on purpose (E F, C G, O Q, P R).
constexpr const char* kPaths[kGlyphs] = {
    "M2 16L8 0L14 16M4 10L12 10",                                      // A
    "M3 8L9 8Q14 8 14 12Q14 16 9 16L3 16L3 0L9 0Q13 0 13 4Q13 8 9 8",  // B
    "M14 3Q12 0 8 0Q2 0 2 8Q2 16 8 16Q12 16 14 13",                    // C
    "M3 0L3 16L7 16Q14 16 14 8Q14 0 7 0L3 0",                          // D
    "M13 0L3 0L3 16L13 16M3 8L11 8",                                   // E
    "M13 0L3 0L3 16M3 8L11 8",                                         // F
    "M14 3Q12 0 8 0Q2 0 2 8Q2 16 8 16Q12 16 14 13L14 9L9 9",           // G
    "M3 0L3 16M13 0L3 9M6 6L13 16",                                    // K
    "M8 0Q14 0 14 8Q14 16 8 16Q2 16 2 8Q2 0 8 0",                      // O
    "M3 16L3 0L9 0Q14 0 14 4Q14 8 9 8L3 8",                            // P
    "M8 0Q14 0 14 8Q14 16 8 16Q2 16 2 8Q2 0 8 0M9 11L15 16",           // Q
    "M3 16L3 0L9 0Q14 0 14 4Q14 8 9 8L3 8M8 8L14 16",                  // R
    "M13 3Q12 0 8 0Q3 0 3 4Q3 7 8 8Q13 9 13 12Q13 16 8 16Q4 16 3 13",  // S
    "M3 0L13 0L3 16L13 16",                                            // Z
    "M3 4Q3 0 8 0Q13 0 13 4Q13 7 3 16L13 16",                          // 2
    "M13 0L4 0L3 7Q6 5 9 6Q14 7 14 11Q14 16 8 16Q4 16 3 13",           // 5
};
constexpr int kChords = 6;  // a curve

class PathReader {
 public:
  explicit PathReader(const char* path) : p_(path) {}

  std::vector<Segment> read() {
    std::vector<Segment> strokes;
    Point at;
    while (*p_) {
      const char command = *p_++;
      const Point a = point();
      if (command == 'L') strokes.push_back({at, a});
      if (command == 'Q') {
        const Point b = point(), start = at;
        for (int i = 1; i <= kChords; ++i) {
          const float t = static_cast<float>(i) / kChords, s = 1 - t;
          const Point next{s * s * start.x + 2 * s * t * a.x + t * t * b.x,
                           s * s * start.y + 2 * s * t * a.y + t * t * b.y};
          strokes.push_back({at, next});
          at = next;
        }
      } else {
        at = a;
      }
    }
    return strokes;
  }

 private:
  float number() {
    while (*p_ == ' ') ++p_;
    int value = 0;
    while (*p_ >= '0' && *p_ <= '9') value = 10 * value + (*p_++ - '0');
    return static_cast<float>(value) / 8 - 1;
  }
  Point point() {
    const float x = number();
    return {x, number()};
  }

  const char* p_;
};

}  // namespace

std::span<const Segment> glyph_strokes(int glyph) {
  static const std::array<std::vector<Segment>, kGlyphs> kStrokes = [] {
    std::array<std::vector<Segment>, kGlyphs> all;
    for (size_t i = 0; i < kGlyphs; ++i) all[i] = PathReader(kPaths[i]).read();
    return all;
  }();
  return kStrokes[static_cast<size_t>(glyph)];
}

}  // namespace nibble::data
