#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "deploy/base/dtype.h"
#include "deploy/base/shape.h"

namespace nibble::data {

/// How pixel values 0..255 become the model's numbers, per channel, in binary32 as written:
///   none      x
///   unit      x / 255
///   tf        x / 127.5 - 1
///   imagenet  (x / 255 - mean) / std, RGB, mean .485 .456 .406, std .229 .224 .225
///   caffe     x - mean, BGR, mean 104 117 123
/// After none and unit, keys `mean` and `std` give (that - mean) / std; their numbers stand in the
/// order in which the model sees the channels (after `bgr`).
enum class Preprocess { kNone, kUnit, kTf, kImagenet, kCaffe };

/// Height and width; a single number N means "short side N" for resize and NxN for crop.
struct Extent {
  int height = 0;
  int width = 0;  // 0: `height` is the length of the short side
};

/// A data spec, "PATH[,PATH...][@key=value,...]", parsed and checked key by key.
struct Spec {
  std::string text;
  std::vector<std::string> paths;
  std::optional<std::string> labels;  // a file, an array of the .npz, or a CSV column
  std::optional<Preprocess> preprocess;
  std::vector<float> mean, std;  // one number a channel, or one for all; empty: not given
  bool bgr = false;
  std::optional<Extent> resize, crop;
  int64_t first = 0;                // range=A:B, samples [first, last) in stored order
  std::optional<int64_t> last;      // empty: to the end
  std::optional<uint64_t> shuffle;  // seed
  std::optional<int64_t> samples;   // the first of what range and shuffle leave
  std::optional<DType> raw;         // element type of raw integers
  std::optional<Shape> shape;       // of one raw sample
  std::optional<float> scale;       // raw integers: x = (q - zero) * scale
  std::optional<int64_t> zero;
  std::optional<int64_t> window;  // tokens a window
  std::vector<std::string> keys;  // those that were given, in order

  bool has(const std::string& key) const;
};

/// Throws Error(kUsage): an unknown key lists the valid ones, a wrong value names key and form.
Spec parse_spec(const std::string& text);

/// One key of a spec: its form as users write it, and what it does. The list feeds the parser,
/// error messages and help.
struct KeyInfo {
  const char* name;
  const char* form;
  const char* summary;
  /// Reads `value` into `spec`; false when the value does not have the form.
  bool (*parse)(const std::string& value, Spec& spec);
};
std::span<const KeyInfo> spec_keys();

}  // namespace nibble::data
